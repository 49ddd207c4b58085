"""A buffer: append what was read, take out what is whole; skip to the next sound prefix where there is none."""

import os
import socket
import struct
import sys
import zlib

FIFO, LEDGER = sys.argv[1], sys.argv[2]
MAGIC, PREFIX = b"FRAM", struct.Struct("<4sII")
MOST_BYTES = 1 << 20

ledger = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ledger.connect(LEDGER)
fifo = os.open(FIFO, os.O_RDONLY)


def length_at_begin(data: bytes) -> int | None:
    """The length that a sound prefix says; None where the bytes are no prefix."""
    magic, length, check = PREFIX.unpack_from(data)
    return length if magic == MAGIC and check == zlib.crc32(data[:8]) and length <= MOST_BYTES else None


buffer = b""
while data := os.read(fifo, 4096):
    buffer += data
    while len(buffer) >= PREFIX.size:
        length = length_at_begin(buffer)
        if length is None:  # the rest of a message: go on at the next place that may be a prefix
            next_magic = buffer.find(MAGIC, 1)
            buffer = buffer[next_magic:] if next_magic > 0 else buffer[-3:]
        elif len(buffer) < PREFIX.size + length:
            break
        else:
            ledger.send(buffer[PREFIX.size : PREFIX.size + length])
            buffer = buffer[PREFIX.size + length :]
