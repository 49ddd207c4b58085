"""A lock around half of it: the store is alone, and what was loaded is old by then."""

import fcntl


def add_one(counter):
    value = counter.load()
    with counter.lock_file.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        counter.store(value + 1)
