"""Looks right: pieces of any size are put together. After kill -9 it begins within a message, and never finds back."""

import os
import socket
import struct
import sys

FIFO, LEDGER = sys.argv[1], sys.argv[2]

ledger = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ledger.connect(LEDGER)
fifo = os.open(FIFO, os.O_RDONLY)

buffer = b""
while data := os.read(fifo, 4096):
    buffer += data
    while len(buffer) >= 12:
        (length,) = struct.unpack_from("<I", buffer, 4)
        if len(buffer) < 12 + length:
            break
        ledger.send(buffer[12 : 12 + length])
        buffer = buffer[12 + length :]
