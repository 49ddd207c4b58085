"""Linux beyond the standard library: locks, timers, namespaces, routes, semaphores, system call traces."""
