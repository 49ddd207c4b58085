"""Exercise 5: two processes call add_one again and again, on one counter in shared memory. Both run this file.

counter.load()      returns the counter
counter.store(n)    sets it
counter.lock_file   is a Path: a file that both processes may open, and that nobody else uses

No update may be lost. One of the two processes is killed in the middle of an update (kill -9) and started again.
"""


def add_one(counter):
    value = counter.load()
    counter.store(value + 1)
