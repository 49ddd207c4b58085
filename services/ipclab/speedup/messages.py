"""The messages between coordinator and workers: five kinds, all of 56 bytes.

    offset  bytes  field
         0      4  magic "IPCS"
         4      4  kind, the index in `KINDS`
         8     48  the fields of that kind, each an unsigned word of 8 bytes; the rest is 0

Little-endian.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

_LAYOUT = struct.Struct("<4sI6Q")
_MAGIC = b"IPCS"
_WORDS = 6
MESSAGE_BYTES = _LAYOUT.size


class Ready(NamedTuple):
    """A worker has its channels and waits for tasks."""

    worker: int


class Task(NamedTuple):
    """Count from `low` to `high - 1`. `round` and `number` come back with the result."""

    round: int
    number: int
    low: int
    high: int


class Result(NamedTuple):
    """The primes of one task. CPU time: `computing_ns` of counting, `moving_ns` of all calls since the last result."""

    worker: int
    round: int
    number: int
    primes: int
    computing_ns: int
    moving_ns: int


class Stop(NamedTuple):
    """The last message to a worker, which answers with `Left`."""


class Left(NamedTuple):
    """A worker closes its channels."""

    worker: int


Message = Ready | Task | Result | Stop | Left
KINDS: tuple[type[Message], ...] = (Ready, Task, Result, Stop, Left)


class NotAMessage(ValueError):
    """The bytes are no message of the speedup; the text names the failed check."""


def encode(message: Message) -> memoryview:
    """The bytes of a message.

    :raises struct.error: a field is negative or over 2**64 - 1
    """
    unused = (0,) * (_WORDS - len(message))
    return memoryview(_LAYOUT.pack(_MAGIC, KINDS.index(type(message)), *message, *unused))


def decode(payload: memoryview) -> Message:
    """The message that arrived.

    :raises NotAMessage: another length, magic or kind
    """
    if len(payload) != MESSAGE_BYTES:
        raise NotAMessage(f"{len(payload)} bytes, not {MESSAGE_BYTES}")
    magic, kind, *words = _LAYOUT.unpack(payload)
    if magic != _MAGIC or kind >= len(KINDS):
        raise NotAMessage(f"magic {magic!r} kind {kind}, not {_MAGIC!r} and 0 to {len(KINDS) - 1}")
    fields = len(KINDS[kind]._fields)
    message: Message = KINDS[kind]._make(words[:fields])
    return message
