"""A window: up to 64 messages wait for their confirmation, so the pipe is never empty."""

import os
import secrets
import select
import struct
import sys
import time
import zlib

COUNT = int(sys.argv[1])
CHILD = [sys.executable, "-m", "ipclab", "student-child", "--confirm"]

HEADER = struct.Struct("<4sIQQQQQII")
PRODUCER, EPOCH = secrets.randbits(63) | 1, time.time_ns()
BODY = os.urandom(200)


def frame(number: int) -> bytes:
    """The message with this number, as it goes over a byte stream: a prefix, the header, the body."""
    now, length = time.monotonic_ns(), HEADER.size + len(BODY)
    head = HEADER.pack(b"IPCL", 1, PRODUCER, EPOCH, number, now, now, length, 0)[:-4]
    message = head + struct.pack("<I", zlib.crc32(BODY, zlib.crc32(head))) + BODY
    prefix = struct.pack("<4sI", b"FRAM", length)
    return prefix + struct.pack("<I", zlib.crc32(prefix)) + message


WINDOW = 64


def start_child() -> tuple[int, int, int]:
    """The child's process id, and the parent's ends: where to write, where to read."""
    reading, writing = os.pipe()
    confirmed, confirming = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(reading, 0)
        os.dup2(confirming, 1)
        os.execv(CHILD[0], CHILD)
    os.close(reading)
    os.close(confirming)
    return pid, writing, confirmed


def send(first: int) -> int:
    """Send from `first` on with one child; returns the first number that is not confirmed when the child has ended."""
    pid, writing, confirmations = start_child()
    unconfirmed = number = first
    alive = True
    while alive and unconfirmed < COUNT:
        if number < min(COUNT, unconfirmed + WINDOW):
            try:
                os.write(writing, frame(number))
                number += 1
            except BrokenPipeError:
                break
        wait_s = 0 if number < min(COUNT, unconfirmed + WINDOW) else None
        if select.select([confirmations], [], [], wait_s)[0]:
            received = os.read(confirmations, 8 * WINDOW)
            alive = bool(received)
            unconfirmed += len(received) // 8
    os.close(writing)
    while received := os.read(confirmations, 8 * WINDOW):  # what the child confirmed before its death is in the pipe
        unconfirmed += len(received) // 8
    os.close(confirmations)
    os.waitpid(pid, 0)
    return unconfirmed


done = 0
while done < COUNT:
    done = send(done)
