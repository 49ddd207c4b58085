"""What runs inside the containers of IPC Lab."""
