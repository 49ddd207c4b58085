"""What Linux offers beyond the standard library: timers, namespaces, routes, semaphores, system call traces."""
