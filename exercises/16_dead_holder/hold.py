"""Take a System V semaphore as a lock, and die with it: semop(2). Usage: hold.py KEY undo|keep

A child takes the lock, and its parent kills it with SIGKILL 3 s later. Then the parent waits for the lock.
"""

import os
import signal
import sys
import time

import sysv_ipc

HELD_S = 3  # longer than a scrape of Prometheus, so that the lab sees it held

key, mode = int(sys.argv[1], 0), sys.argv[2]
try:
    lock = sysv_ipc.Semaphore(key)
except sysv_ipc.ExistentialError:
    lock = sysv_ipc.Semaphore(key, sysv_ipc.IPC_CREX, mode=0o600, initial_value=1)

child = os.fork()
if not child:
    lock.undo = mode == "undo"  # SEM_UNDO
    lock.acquire()
    signal.pause()  # the work that the lock protects

time.sleep(HELD_S)
print("while the holder lives: value", lock.value)
os.kill(child, signal.SIGKILL)
os.waitpid(child, 0)
print("the holder is dead:     value", lock.value)
lock.undo = True  # this process gives the lock back, whatever happens to it
try:
    lock.acquire(HELD_S)
    lock.release()
    print("the next process:       got the lock")
except sysv_ipc.BusyError:
    print(f"the next process:       no lock within {HELD_S} s (EAGAIN)")
