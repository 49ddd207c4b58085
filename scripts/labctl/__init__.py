"""What runs on your own machine: the host-side command line of IPC Lab."""
