"""One endpoint process: its command line, its course, and what it prints. The harness reads only its stdout.

A line of JSON for each event: `ready` (the channel is made or open), `warm` (the warm-up is over; the endpoint now
waits for a line on stdin), `result`, or `error`. Between `warm` and `result` nothing is printed.
"""

from __future__ import annotations

import json
import os
import resource
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from ipclab.bench.loops import REPLY_BYTES, Timed, consume, produce
from ipclab.bench.messages import Tally
from ipclab.bench.ports import Putter, Receives, Sends, Taker
from ipclab.bench.request import Request, Shape, Side, parse
from ipclab.contract.errors import ChannelError, PeerAbsent

_OPEN_WITHIN_S = 10.0
_RETRY_S = 0.001
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Ends:
    """The ends of one process: its own, and what it makes or opens for the way back when that is first needed.

    A producer has `send` and, where there are replies, `replies`; a consumer `receive` and `reply`.
    """

    main: Sends | Receives
    back: Callable[[], Sends | Receives]


Open = Callable[[Request, ExitStack], Ends]


def main(argv: Sequence[str], describe: Callable[[], dict[str, Any]], open_ends: Open) -> int:
    """Run one endpoint, and return its exit code. `--describe` prints the rows of this implementation.

    :param describe: the document of `--describe`
    :param open_ends: makes or opens the channel as the request's role; closes it with the stack
    """
    if list(argv) == ["--describe"]:
        _print(describe())
        return 0
    request = parse(argv)
    try:
        with ExitStack() as stack:
            result = run(request, lambda: open_ends(request, stack))
    except ChannelError as error:
        _print({"event": "error", "role": request.role, "message": str(error), "errno": error.errno_name})
        return 1
    except OSError as error:
        _print({"event": "error", "role": request.role, "message": str(error), "errno": str(error.errno or "")})
        return 1
    _print(result)
    return 0


def patiently(open_end: Callable[[], T]) -> T:
    """Open what the peer makes, and wait for it.

    :raises PeerAbsent: there is none within ten seconds
    """
    deadline = time.monotonic() + _OPEN_WITHIN_S
    while True:
        try:
            return open_end()
        except PeerAbsent:
            if time.monotonic() > deadline:
                raise
            time.sleep(_RETRY_S)


def run(request: Request, open_ends: Callable[[], Ends]) -> dict[str, Any]:
    """The course of one endpoint, from `ready` to the result that it returns.

    :raises ChannelError: as the channel's ends do
    """
    tally = Tally()
    ends = open_ends()
    _print({"event": "ready", "role": request.role})
    side = (_Producer if request.role is Side.PRODUCER else _Consumer)(request, ends, tally)
    _warm_up(request, side, tally)
    _print({"event": "warm", "role": request.role})
    _wait_for_go()
    tally.reset(request.warmup)
    cpu_ns, usage = time.process_time_ns(), resource.getrusage(resource.RUSAGE_SELF)
    timed = side(request.warmup, request.warmup + request.count)
    cpu_ns, after = time.process_time_ns() - cpu_ns, resource.getrusage(resource.RUSAGE_SELF)
    return {
        "event": "result",
        "role": request.role,
        "begin_ns": timed.begin_ns,
        "end_ns": timed.end_ns,
        "cpu_ns": cpu_ns,
        "voluntary": after.ru_nvcsw - usage.ru_nvcsw,
        "involuntary": after.ru_nivcsw - usage.ru_nivcsw,
        **side.counts(timed),
        "samples_ns": timed.samples_ns,
    }


def _warm_up(request: Request, side: Callable[[int, int], Timed], tally: Tally) -> None:
    """A consumer is there before its producer: a silence before the first message is no loss."""
    deadline = time.monotonic() + _OPEN_WITHIN_S
    side(0, request.warmup)
    while request.role is Side.CONSUMER and not tally.received and time.monotonic() < deadline:
        side(0, request.warmup)


class _Producer:
    def __init__(self, request: Request, ends: Ends, tally: Tally) -> None:
        reply_bytes = REPLY_BYTES if request.shape is Shape.BURST else request.size
        self._request = request
        self._tally = tally
        self._out = Putter(ends.main, request, request.size)  # type: ignore[arg-type]
        self._back = _once(lambda: Taker(ends.back(), _reply(request), reply_bytes, tally))  # type: ignore[arg-type]
        if request.shape is not Shape.ONE_WAY:
            self._back()

    def __call__(self, first: int, last: int) -> Timed:
        return produce(self._request, first, last, self._out, self._back)

    def counts(self, timed: Timed) -> dict[str, Any]:
        return {
            "size": self._request.size,
            "sent": timed.sent,
            "received": self._tally.received,
            "corrupt": self._tally.corrupt,
        }


class _Consumer:
    def __init__(self, request: Request, ends: Ends, tally: Tally) -> None:
        reply_bytes = REPLY_BYTES if request.shape is Shape.BURST else request.size
        self._request = request
        self._tally = tally
        self._into = Taker(ends.main, request, request.size, tally)  # type: ignore[arg-type]
        self._back = _once(lambda: Putter(ends.back(), _reply(request), reply_bytes))  # type: ignore[arg-type]

    def __call__(self, first: int, last: int) -> Timed:
        return consume(self._request, first, last, self._into, self._back)

    def counts(self, timed: Timed) -> dict[str, Any]:
        tally = self._tally
        return {
            "size": self._into.actual_size,
            "received": tally.received,
            "lost": self._request.count - tally.received,
            "reordered": tally.reordered,
            "duplicated": tally.duplicated,
            "corrupt": tally.corrupt,
            "crc32": timed.crc32,
        }


def _reply(request: Request) -> Request:
    """The reply to a burst is 16 bytes, and nobody's payload."""
    return replace(request, touched=False) if request.shape is Shape.BURST else request


def _once(make: Callable[[], T]) -> Callable[[], T]:
    made: list[T] = []

    def get() -> T:
        if not made:
            made.append(make())
        return made[0]

    return get


def _wait_for_go() -> None:
    """One line, read byte by byte: what follows it is not ours."""
    while (byte := os.read(0, 1)) not in (b"\n", b""):
        del byte


def _print(document: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(document) + "\n")
    sys.stdout.flush()
