"""Looks right until a child dies: the parent keeps the child's ends open, so it never sees that the child is gone."""

import os
import secrets
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


class Child:
    """A child, and the parent's ends of the two pipes."""

    def __init__(self) -> None:
        to_child_reading, self.writing = os.pipe()
        self.reading, to_parent_writing = os.pipe()
        self.pid = os.fork()
        if self.pid == 0:
            os.dup2(to_child_reading, 0)
            os.dup2(to_parent_writing, 1)
            os.execv(CHILD[0], CHILD)  # Python's pipes are close-on-exec: the child keeps 0, 1 and 2 alone

    def send(self, number: int) -> bool:
        """Whether the child has it in its ledger."""
        try:
            os.write(self.writing, frame(number))
            return len(os.read(self.reading, 8)) == 8
        except BrokenPipeError:
            return False

    def close(self) -> None:
        """The child sees the end of the stream, and ends."""
        os.close(self.writing)
        os.close(self.reading)
        os.waitpid(self.pid, 0)


child = Child()
for number in range(COUNT):
    while not child.send(number):
        child.close()
        child = Child()
child.close()
