"""A record lock of fcntl(2) on an open file that is kept: it belongs to the process, and ends with it."""

import fcntl
import os

descriptor = None


def add_one(counter):
    global descriptor
    if descriptor is None:
        descriptor = os.open(counter.lock_file, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.lockf(descriptor, fcntl.LOCK_EX)
    try:
        counter.store(counter.load() + 1)
    finally:
        fcntl.lockf(descriptor, fcntl.LOCK_UN)
