"""The program of the containers of IPC Lab."""
