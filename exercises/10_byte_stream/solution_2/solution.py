"""A reader that asks for exactly the bytes it needs: byte by byte to a sound prefix, then the message."""

import os
import socket
import struct
import sys
import zlib

FIFO, LEDGER = sys.argv[1], sys.argv[2]

ledger = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ledger.connect(LEDGER)
fifo = os.open(FIFO, os.O_RDONLY)


def read_exactly(count: int) -> bytes:
    """So many bytes, in as many reads as it takes."""
    data = b""
    while len(data) < count:
        if not (piece := os.read(fifo, count - len(data))):
            sys.exit(0)  # the end of the stream
        data += piece
    return data


def read_prefix() -> int:
    """Slide a window of 12 bytes over the stream until it is a sound prefix; the length that it says."""
    window = read_exactly(12)
    while True:
        magic, length, check = struct.unpack("<4sII", window)
        if magic == b"FRAM" and check == zlib.crc32(window[:8]):
            return int(length)
        window = window[1:] + read_exactly(1)


while True:
    ledger.send(read_exactly(read_prefix()))
