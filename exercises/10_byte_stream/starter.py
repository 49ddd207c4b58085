"""Exercise 10: a stream has no borders.

This program is the consumer. It reads the FIFO of a producer of the lab, and hands each message, whole and once, to the
ledger of the lab: one datagram a message. The FIFO hands out 1 to n bytes a read, wherever a message begins or ends.

The lab kills this program twice with SIGKILL and starts it again. Then the first bytes that it reads are the rest of a
message whose beginning it never saw.

    python exercise-10.py FIFO SOCKET

A frame is a prefix and a message (docs/MESSAGE_FORMAT.md):

    0   4  the bytes "FRAM"
    4   4  length of the message, little-endian
    8   4  CRC-32 (zlib.crc32) of the eight bytes before
    12     the message
"""

import os
import socket
import sys

FIFO, LEDGER = sys.argv[1], sys.argv[2]
PREFIX_BYTES = 12

ledger = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
ledger.connect(LEDGER)
fifo = os.open(FIFO, os.O_RDONLY)

while data := os.read(fifo, 4096):
    # To do: this takes what one read returns for one frame.
    ledger.send(data[PREFIX_BYTES:])
