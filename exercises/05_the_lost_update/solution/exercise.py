"""flock(2) around both steps: the kernel frees it when the file is closed, and when the process is killed."""

import fcntl


def add_one(counter):
    with counter.lock_file.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        counter.store(counter.load() + 1)
