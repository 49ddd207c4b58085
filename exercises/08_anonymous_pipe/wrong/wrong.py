"""Looks right: a new child takes over when one dies. What was in the pipe is not sent again."""

import os
import secrets
import struct
import sys
import time
import zlib

COUNT = int(sys.argv[1])
CHILD = [sys.executable, "-m", "ipclab", "student-child"]

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


def start_child() -> tuple[int, int]:
    """The child's process id, and where to write."""
    reading, writing = os.pipe()
    pid = os.fork()
    if pid == 0:
        os.dup2(reading, 0)
        os.execv(CHILD[0], CHILD)
    os.close(reading)
    return pid, writing


pid, writing = start_child()
for number in range(COUNT):
    while True:
        try:
            os.write(writing, frame(number))
            break
        except BrokenPipeError:
            os.close(writing)
            os.waitpid(pid, 0)
            pid, writing = start_child()
os.close(writing)
os.waitpid(pid, 0)
