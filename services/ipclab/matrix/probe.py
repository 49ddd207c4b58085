"""A probe: on each round it tries to reach the responder by every mechanism, and says what the kernel answered."""

from __future__ import annotations

import errno
import os
import statistics
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass

from ipclab import mechanisms
from ipclab.contract.channel import Address, Mechanism
from ipclab.contract.errors import ChannelError, TornMessage
from ipclab.linux import route, syscall_trace
from ipclab.matrix import request_reply
from ipclab.matrix.placement import Placement
from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Sample
from ipclab.runtime.lifecycle import TICK_S, EndpointStatus, Stop

TRY_S = 1.0
ROUND_EVERY_S = 4.0
QUESTIONS = 5
QUESTION_BYTES = 64


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one try came to.

    `duration_s` is all of it, the opening too; `round_trip_s` is the median of the questions. `error` is the errno
    by name, "" for success; `text` is the whole sentence.
    """

    duration_s: float
    round_trip_s: float | None = None
    error: str = ""
    text: str = ""

    @property
    def success(self) -> bool:
        """Every question was answered, with itself."""
        return not self.error


def attempt(mechanism: Mechanism, address: Address, within_s: float = TRY_S) -> Attempt:
    """Open an asker, ask, and take away what that made. Takes `within_s`, or twice that where a peer is silent."""
    begin = time.monotonic()
    try:
        with request_reply.open_asker(mechanism, address, within_s) as asker:
            deadline = time.monotonic() + within_s
            question = memoryview(os.urandom(QUESTION_BYTES))
            answer = memoryview(bytearray(QUESTION_BYTES))
            took = []
            for _ in range(QUESTIONS):
                asked = time.monotonic()
                asker.send(question, max(0.0, deadline - asked))
                length = asker.receive_into(answer, max(0.0, deadline - asked))
                took.append(time.monotonic() - asked)
                if answer[:length] != question:
                    raise TornMessage("the answer is not the question", code=errno.EBADMSG)
    except ChannelError as error:
        return Attempt(time.monotonic() - begin, error=error.errno_name, text=str(error))
    return Attempt(time.monotonic() - begin, round_trip_s=statistics.median(took))


def explained(mechanism: Mechanism, address: Address) -> dict[str, object]:
    """One attempt, the `route` to its host, and the `failed_calls` when it was made again under a tracer."""
    tried = attempt(mechanism, address)
    calls = [] if tried.success else syscall_trace.failed(lambda: attempt(mechanism, address))
    return {**asdict(tried), "route": route.to(address.host), "failed_calls": [asdict(call) for call in calls]}


class Prober:
    """The rounds of one placement."""

    def __init__(
        self, placement: Placement, addresses: Mapping[str, Address], status: EndpointStatus, stop: Stop
    ) -> None:
        self._placement = placement
        self._targets = {name: (mechanisms.load(name), address) for name, address in addresses.items()}
        self._status = status
        self._stop = stop
        self._last: dict[str, Attempt] = {}

    def run(self) -> None:
        """One round after the other, at a steady pace."""
        self._status.opened()
        while not self._stop.requested:
            next_round = time.monotonic() + ROUND_EVERY_S
            for name, tried in self.round():
                self._last[name] = tried
                self._status.tick(time.monotonic_ns())
            self._idle_until(next_round)

    def _idle_until(self, then: float) -> None:
        while (left := then - time.monotonic()) > 0 and not self._stop.requested:
            self._status.tick(time.monotonic_ns())
            time.sleep(min(left, TICK_S))

    def round(self) -> Iterable[tuple[str, Attempt]]:
        """Try every mechanism; whoever stops in between is not kept waiting."""
        for name, (mechanism, address) in self._targets.items():
            if self._stop.requested:
                return
            yield name, attempt(mechanism, address)

    def samples(self) -> Iterable[Sample]:
        """What the last tries came to; nothing of a mechanism that was not tried yet."""
        where = (str(self._placement),)
        for name, last in dict(self._last).items():
            yield Sample(metrics.PROBE_SUCCESS, last.success, where, name)
            yield Sample(metrics.PROBE_DURATION, last.duration_s, where, name)
            if last.round_trip_s is None:
                yield Sample(metrics.PROBE_ERROR, 1, (*where, last.error), name)
            else:
                yield Sample(metrics.PROBE_ROUND_TRIP, last.round_trip_s, where, name)
        yield from self._status.namespace_samples()
