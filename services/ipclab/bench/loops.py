"""The loops of a run, by shape: what is timed, and no more. Times in ns, CLOCK_MONOTONIC.

One way is written out for speed: a call of a function of ours costs as much as a small message in shared memory does.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from time import monotonic_ns

from ipclab.bench.messages import HEADER, HEADER_BYTES, SEQUENCE, place_of
from ipclab.bench.ports import Putter, Taker
from ipclab.bench.request import Request, Shape
from ipclab.contract.errors import ReceiveTimeout

REPLY_BYTES = HEADER_BYTES  # of a burst


@dataclass(slots=True)
class Timed:
    """One side of the timed part: messages sent or received, the times, and the checksum of the last message."""

    begin_ns: int
    end_ns: int = 0
    sent: int = 0
    crc32: int | None = None
    samples_ns: list[int] = field(default_factory=list)


def produce(request: Request, first: int, last: int, out: Putter, back: Callable[[], Taker]) -> Timed:
    """Send the messages from `first` to `last` (exclusive), and take the replies of the shape.

    A reply that does not come within `silence_s` ends the run.

    :raises ChannelError: as the channel's ends do
    """
    timed = Timed(monotonic_ns())
    with suppress(ReceiveTimeout):
        match request.shape:
            case Shape.ONE_WAY:
                _pour(out, first, last)
                timed.sent = last - first
            case Shape.ROUND_TRIP:
                _ask(request, first, last, out, back(), timed)
            case Shape.BURST:
                _burst(request, first, last, out, back(), timed)
    timed.end_ns = monotonic_ns()
    return timed


def consume(request: Request, first: int, last: int, into: Taker, back: Callable[[], Putter]) -> Timed:
    """Receive the messages from `first` to `last` (exclusive), and send the replies of the shape.

    Silence for `silence_s` ends the run; the tally says what is missing.

    :raises ChannelError: as the channel's ends do
    """
    timed = Timed(monotonic_ns())
    timed.end_ns = timed.begin_ns
    with suppress(ReceiveTimeout):
        match request.shape:
            case Shape.ONE_WAY:
                _drain(request, first, last, into, timed)
            case Shape.ROUND_TRIP:
                _answer(first, last, into, back, timed)
            case Shape.BURST:
                _drain_bursts(request, first, last, into, back, timed)
    return timed


def _pour(out: Putter, first: int, last: int) -> None:
    pack_into, timeout_s, size = HEADER.pack_into, out.timeout_s, out.size
    touched, by_place = out.touched, out.by_place
    if out.put == out._put_in_place:
        loan, commit = out.loan, out.commit
        for sequence in range(first, last):
            view = loan(size, timeout_s)
            pack_into(view, 0, sequence, 0)
            if touched:
                view[HEADER_BYTES:] = by_place[sequence & 7]
            commit()
        return
    send, buffer, payload = out.send, out.buffer, out.payload
    for sequence in range(first, last):
        pack_into(buffer, 0, sequence, 0)
        if touched:
            payload[:] = by_place[sequence & 7]
        send(buffer, timeout_s)


def _drain(request: Request, first: int, last: int, into: Taker, timed: Timed) -> None:
    """All but the last message group by group, then the last one, of which the checksum is taken."""
    tally, every = into.tally, request.sample_every
    drain = _drain_in_place if into.take == into._take_in_place else _drain_copies
    expected, group_ns = first, timed.begin_ns
    while expected < last - 1:
        stop = min(expected + every, last - 1)
        begin, clean = expected, tally.in_order
        expected = drain(into, expected, stop)
        timed.end_ns = monotonic_ns()
        if clean and tally.in_order and stop - begin == every:
            timed.samples_ns.append((timed.end_ns - group_ns) // every)
        group_ns = timed.end_ns
    if expected < last:
        sequence, _, timed.end_ns, timed.crc32 = into.take_last(monotonic_ns)
        _enter(into, expected, sequence)


def _drain_copies(into: Taker, expected: int, stop: int) -> int:
    receive_into, buffer, timeout_s = into.receive_into, into.buffer, into.timeout_s
    unpack_from, touched, startswith = SEQUENCE.unpack_from, into.touched, into.pattern.startswith
    payload = buffer[HEADER_BYTES:]
    size = len(buffer)
    while expected < stop:
        length = receive_into(buffer, timeout_s)
        (sequence,) = unpack_from(buffer)
        if touched and not startswith(payload if length == size else buffer[HEADER_BYTES:length], place_of(sequence)):
            into.tally.corrupt += 1
        if sequence == expected:
            expected += 1
            into.tally.received += 1
        else:
            expected = into.tally.unexpected(expected, sequence)
    return expected


def _drain_in_place(into: Taker, expected: int, stop: int) -> int:
    borrow, release, timeout_s = into.borrow, into.release, into.timeout_s
    unpack_from, touched, startswith = SEQUENCE.unpack_from, into.touched, into.pattern.startswith
    while expected < stop:
        view = borrow(timeout_s)
        (sequence,) = unpack_from(view)
        if touched and not startswith(view[HEADER_BYTES:], place_of(sequence)):
            into.tally.corrupt += 1
        release()
        if sequence == expected:
            expected += 1
            into.tally.received += 1
        else:
            expected = into.tally.unexpected(expected, sequence)
    return expected


def _enter(into: Taker, expected: int, sequence: int) -> int:
    if sequence != expected:
        return into.tally.unexpected(expected, sequence)
    into.tally.received += 1
    return expected + 1


def _ask(request: Request, first: int, last: int, out: Putter, back: Taker, timed: Timed) -> None:
    put, take, every = out.put, back.take, request.sample_every
    for sequence in range(first, last):
        began_ns = monotonic_ns()
        put(sequence, 0)
        timed.sent += 1
        reply, _ = take()
        if not sequence % every:
            timed.samples_ns.append(monotonic_ns() - began_ns)
        _enter(back, sequence, reply)


def _answer(first: int, last: int, into: Taker, back: Callable[[], Putter], timed: Timed) -> None:
    expected = first
    while expected < last - 1:
        sequence, _ = into.take()
        expected = _enter(into, expected, sequence)
        back().put(sequence, 0)
        timed.end_ns = monotonic_ns()
    if expected < last:
        sequence, _, timed.end_ns, timed.crc32 = into.take_last(monotonic_ns)
        _enter(into, expected, sequence)
        back().put(sequence, 0)


def _burst(request: Request, first: int, last: int, out: Putter, back: Taker, timed: Timed) -> None:
    put, take = out.put, back.take
    for begin in range(first, last, request.burst):
        due_ns = monotonic_ns()
        for sequence in range(begin, min(begin + request.burst, last)):
            put(sequence, due_ns)
            timed.sent += 1
        take()


def _drain_bursts(
    request: Request, first: int, last: int, into: Taker, back: Callable[[], Putter], timed: Timed
) -> None:
    expected, every = first, request.sample_every
    for begin in range(first, last, request.burst):
        end = min(begin + request.burst, last)
        while expected < end - (end == last):
            sequence, due_ns = into.take()
            timed.end_ns = monotonic_ns()
            if not sequence % every:
                timed.samples_ns.append(timed.end_ns - due_ns)
            expected = _enter(into, expected, sequence)
        if end == last and expected < last:
            sequence, due_ns, timed.end_ns, timed.crc32 = into.take_last(monotonic_ns)
            expected = _enter(into, expected, sequence)
        back().put(begin, 0)
