"""The kernel objects of an IPC namespace, as metrics."""
