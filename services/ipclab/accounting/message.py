"""The header on every message of the lab.

    offset  bytes  field
         0      4  magic "IPCL"
         4      4  version
         8      8  producer   identity of the producer, not 0; survives its restarts (see `ipclab.accounting.ledger`)
        16      8  epoch      nanoseconds since 1970 at the start of this life of the producer
        24      8  sequence   from 0, one more for every message of this producer, across its lives
        32      8  due_ns     CLOCK_MONOTONIC when the schedule wanted the message sent
        40      8  sent_ns    CLOCK_MONOTONIC just before `send`
        48      4  length     bytes of the whole message, header included
        52      4  checksum   CRC-32 of all other bytes

Little-endian throughout. CLOCK_MONOTONIC is one clock for every container of a kernel
(clock_gettime(2)), so `due_ns` compares across containers of one host and of no other.
"""

from __future__ import annotations

import struct
import zlib
from typing import NamedTuple

MAGIC = int.from_bytes(b"IPCL", "little")
VERSION = 1
MAX_SEQUENCE = 2**63 - 1
HEADER = struct.Struct("<IIQQQQQII")
HEADER_BYTES = HEADER.size
_CHECKSUM = struct.Struct("<I")
_CHECKSUM_OFFSET = HEADER_BYTES - _CHECKSUM.size


class Header(NamedTuple):
    """One message's header, in the order of the wire."""

    magic: int
    version: int
    producer: int
    epoch: int
    sequence: int
    due_ns: int
    sent_ns: int
    length: int
    checksum: int


class CorruptMessage(ValueError):
    """The bytes are not a message as it was sent: which check failed."""


def checksum(message: memoryview) -> int:
    """CRC-32 of a message without its checksum field."""
    head = zlib.crc32(message[:_CHECKSUM_OFFSET])
    return zlib.crc32(message[HEADER_BYTES:], head)


def seal(message: memoryview, *, producer: int, epoch: int, sequence: int, due_ns: int, sent_ns: int) -> None:
    """Write the header over the first `HEADER_BYTES` of `message`; its length is the message's."""
    HEADER.pack_into(message, 0, MAGIC, VERSION, producer, epoch, sequence, due_ns, sent_ns, len(message), 0)
    _CHECKSUM.pack_into(message, _CHECKSUM_OFFSET, checksum(message))


def parse(message: memoryview) -> Header:
    """The header of a message that arrived.

    :raises CorruptMessage: too short, not ours, cut, or altered on the way
    """
    if len(message) < HEADER_BYTES:
        raise CorruptMessage(f"{len(message)} bytes are fewer than a header of {HEADER_BYTES}")
    header = Header._make(HEADER.unpack_from(message))
    if header.magic != MAGIC or header.version != VERSION:
        raise CorruptMessage(f"magic {header.magic:#x} version {header.version}, not {MAGIC:#x} and {VERSION}")
    if header.length != len(message):
        raise CorruptMessage(f"the header says {header.length} bytes, {len(message)} arrived")
    if header.checksum != checksum(message):
        raise CorruptMessage(f"checksum of sequence {header.sequence} does not fit its bytes")
    if not header.producer or header.sequence > MAX_SEQUENCE:
        raise CorruptMessage(f"no producer of ours: {header.producer}, sequence {header.sequence}")
    return header
