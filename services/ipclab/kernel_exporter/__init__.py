"""What the kernel holds in an IPC namespace, as metrics."""
