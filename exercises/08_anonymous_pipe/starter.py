"""Exercise 8: a parent, its child, and the second pipe.

This program is the parent. It sends COUNT messages to its child through an anonymous pipe. The child is the receiver of
the lab: it reads messages on its standard input and enters each one in the ledger. With --confirm it also writes the
number of each entered message to its standard output: 8 bytes, little-endian.

The lab kills the child twice with SIGKILL while messages are on the way. What was in the pipe is gone then. Your
program shall go on with a new child, and every message shall arrive.

    python exercise-08.py COUNT

docs/MESSAGE_FORMAT.md describes the bytes.
"""

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


def start_child() -> int:
    """Start a child; returns the descriptor on which the parent writes."""
    reading, writing = os.pipe()
    if os.fork() == 0:  # the child: it has both ends, as the parent has
        os.dup2(reading, 0)  # the standard input; dup2(2) makes a descriptor that execve(2) keeps
        os.execv(CHILD[0], CHILD)
    return writing


def main() -> None:
    """Send every message, then let the child end."""
    writing = start_child()
    for number in range(COUNT):
        os.write(writing, frame(number))
    # To do: a second pipe for confirmations, a new child when one has died, and no message lost.
    # Also: which process has which end open? A pipe ends when the last writing end is closed, and a write
    # fails (EPIPE) when the last reading end is closed. Every copy counts, also the one in your own process.
    os.close(writing)
    os.wait()


main()
