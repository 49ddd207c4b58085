"""A file that exists is the lock: right until its holder is killed, and then nobody removes it."""

import os
import time


def add_one(counter):
    while True:
        try:
            os.close(os.open(counter.lock_file, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            time.sleep(0)
    counter.store(counter.load() + 1)
    counter.lock_file.unlink()
