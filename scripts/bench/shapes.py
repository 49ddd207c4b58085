"""What two processes do with a channel while they are timed: ask and answer, or send in one direction."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ipclab.accounting import message

TIMEOUT_S = 5.0
_WARM_UP = 50
_BATCH = 1024


@dataclass(frozen=True, slots=True)
class Side:
    """What one process has: it sends to the other, and receives from it."""

    receive_into: Callable[[memoryview, float], int]
    send: Callable[[memoryview, float], None]
    send_many: Callable[[memoryview, int, float], int] | None = None
    receive_many: Callable[[memoryview, int, float], int] | None = None


Parent = Callable[[Side, int, int], float]
Child = Callable[[Side, int, int], None]


def ask(side: Side, size: int, count: int) -> float:
    """Send, wait for the answer, `count` times; the seconds that took."""
    payload, buffer = memoryview(bytearray(size)), memoryview(bytearray(size))
    send, receive_into = side.send, side.receive_into
    begin = 0
    for number in range(-_WARM_UP, count):
        if not number:
            begin = time.perf_counter_ns()
        send(payload, TIMEOUT_S)
        receive_into(buffer, TIMEOUT_S)
    return (time.perf_counter_ns() - begin) / 1e9


def answer(side: Side, size: int, count: int) -> None:
    """The other side of `ask`."""
    buffer = memoryview(bytearray(size))
    send, receive_into = side.send, side.receive_into
    for _ in range(-_WARM_UP, count):
        receive_into(buffer, TIMEOUT_S)
        send(buffer, TIMEOUT_S)


def pour(side: Side, size: int, count: int) -> float:
    """Send `count` messages; the seconds until the other side had them all."""
    payload = memoryview(bytearray(size))
    send = side.send
    begin = _meet(side, payload)
    for _ in range(count):
        send(payload, TIMEOUT_S)
    return _until_all_arrived(side, begin)


def drain(side: Side, size: int, count: int) -> None:
    """The other side of `pour`."""
    buffer = memoryview(bytearray(size))
    receive_into = side.receive_into
    _answer_once(side, buffer)
    for _ in range(count):
        receive_into(buffer, TIMEOUT_S)
    side.send(buffer, TIMEOUT_S)


def pour_sealed(side: Side, size: int, count: int) -> float:
    """`pour`, with a header and its checksum on every message."""
    payload = memoryview(bytearray(size))
    send = side.send
    begin = _meet(side, payload)
    for number in range(count):
        message.seal(payload, producer=1, epoch=1, sequence=number, due_ns=begin, sent_ns=begin)
        send(payload, TIMEOUT_S)
    return _until_all_arrived(side, begin)


def drain_sealed(side: Side, size: int, count: int) -> None:
    """The other side of `pour_sealed`."""
    buffer = memoryview(bytearray(size))
    receive_into = side.receive_into
    _answer_once(side, buffer)
    for _ in range(count):
        receive_into(buffer, TIMEOUT_S)
        message.parse(buffer)
    side.send(buffer, TIMEOUT_S)


def pour_batches(side: Side, size: int, count: int) -> float:
    """`pour`, many messages a call."""
    block, send_many = memoryview(bytearray(size * _BATCH)), side.send_many
    assert send_many
    begin = _meet(side, block[:size])
    left = count
    while left:
        left -= send_many(block[: size * min(left, _BATCH)], size, TIMEOUT_S)
    return _until_all_arrived(side, begin)


def drain_batches(side: Side, size: int, count: int) -> None:
    """The other side of `pour_batches`."""
    block, receive_many = memoryview(bytearray(size * _BATCH)), side.receive_many
    assert receive_many
    _answer_once(side, block[:size])
    while count:
        count -= receive_many(block, size, TIMEOUT_S)
    side.send(block[:size], TIMEOUT_S)


def _meet(side: Side, payload: memoryview) -> int:
    """Wait until the other side runs; the time then."""
    side.send(payload, TIMEOUT_S)
    side.receive_into(memoryview(bytearray(len(payload))), TIMEOUT_S)
    return time.perf_counter_ns()


def _answer_once(side: Side, buffer: memoryview) -> None:
    side.receive_into(buffer, TIMEOUT_S)
    side.send(buffer, TIMEOUT_S)


def _until_all_arrived(side: Side, begin: int) -> float:
    side.receive_into(memoryview(bytearray(1 << 20)), 4 * TIMEOUT_S)
    return (time.perf_counter_ns() - begin) / 1e9
