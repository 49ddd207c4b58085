"""A probe: each round tries to reach the responder by every mechanism, and keeps the kernel's answer."""

from __future__ import annotations

import os
import statistics
import time
from collections import deque
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path

from ipclab import mechanisms
from ipclab.contract.channel import Address, Mechanism, Sharing
from ipclab.contract.errors import NO_ANSWER, WRONG_ANSWER, ChannelError, ReceiveTimeout, TornMessage
from ipclab.linux import route, syscall_trace
from ipclab.linux.namespaces import pin
from ipclab.matrix import request_reply
from ipclab.matrix.placement import AnyPlacement, Placement
from ipclab.matrix.told_address import Locate
from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Sample
from ipclab.runtime.lifecycle import TICK_S, EndpointStatus, Stop

TRY_S = 1.0
ROUND_EVERY_S = 4.0
QUESTIONS = 40  # 15 tries are remembered: a median is of 600 round trips
MEASURE_S = 0.05  # a mechanism that is slow is asked less often
QUESTION_BYTES = 64
REMEMBERED = 15  # tries: a minute
_DEV_SHM = Path("/dev/shm")


@dataclass(frozen=True, slots=True)
class Attempt:
    """The result of one try.

    `duration_s` is all of it, the opening too; `round_trip_s` is the median of the questions. `error` is the errno
    that a system call returned, by name, or the words of what happened where none failed; "" for success. `text` is the
    whole sentence.
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
        with request_reply.open_asker(request_reply.for_questions(mechanism), address, within_s) as asker:
            deadline = time.monotonic() + within_s
            question = memoryview(os.urandom(QUESTION_BYTES))
            answer = memoryview(bytearray(QUESTION_BYTES))
            took: list[float] = []
            while len(took) < QUESTIONS and sum(took) < MEASURE_S:
                asked = time.monotonic()
                asker.send(question, max(0.0, deadline - asked))
                length = asker.receive_into(answer, max(0.0, deadline - asked))
                took.append(time.monotonic() - asked)
                if answer[:length] != question:
                    raise TornMessage("the answer is not the question", code=WRONG_ANSWER)
    except ReceiveTimeout as error:
        return Attempt(time.monotonic() - begin, error=NO_ANSWER, text=str(error))
    except ChannelError as error:
        return Attempt(time.monotonic() - begin, error=error.errno_name, text=str(error))
    return Attempt(time.monotonic() - begin, round_trip_s=statistics.median(took))


def explained(mechanism: Mechanism, address: Address, locate: Locate) -> dict[str, object]:
    """One attempt, the `route` to the responder, and the `failed_calls` when it was made again under a tracer."""
    try:
        host = locate()
    except ChannelError as error:
        way: dict[str, object] = {"route": f"none, {error}", "failed_calls": []}
        if Sharing.NETWORK in mechanism.traits.requires:
            tried = Attempt(0.0, error=error.errno_name, text=str(error))
            return {**asdict(tried), **way, "dev_shm": _device(_DEV_SHM)}
        host = ""
    there = replace(address, host=host)
    pin()
    tried = attempt(mechanism, there)
    calls = [] if tried.success else syscall_trace.trace_failed_syscalls(lambda: attempt(mechanism, there))
    way = {"route": route.route_to(host), "failed_calls": [asdict(call) for call in calls]}
    return {**asdict(tried), **way, "dev_shm": _device(_DEV_SHM)}


def _device(path: Path) -> str:
    """The device of the file system mounted at `path`, equal in containers that share it (stat(2), st_dev)."""
    device = path.stat().st_dev
    return f"{os.major(device)}:{os.minor(device)}"


class Prober:
    """The rounds of one placement."""

    def __init__(
        self,
        placement: AnyPlacement,
        addresses: Mapping[str, Address],
        locate: Locate,
        status: EndpointStatus,
        stop: Stop,
    ) -> None:
        """`locate` says, round by round, the host that the responder listens on."""
        self._placement = placement
        self._locate = locate
        self._round_trips: dict[str, deque[float]] = {}
        self._targets = {name: (mechanisms.load(name), address) for name, address in addresses.items()}
        self._status = status
        self._stop = stop
        self._last: dict[str, Attempt] = {}
        self._calls: dict[tuple[str, str], str] = {}  # of a mechanism and an error: the call that failed, if one did
        self.host = ""  # where the responder was last

    def run(self) -> None:
        """One round after the other, at a steady pace, on the CPU that the responder's endpoints are on."""
        pin()
        self._status.opened()
        while not self._stop.requested:
            next_round = time.monotonic() + ROUND_EVERY_S
            for name, tried in self.round():
                self.remember(name, tried)
                self._status.tick(time.monotonic_ns())
            self._trace_one()
            self._idle_until(next_round)

    def _idle_until(self, then: float) -> None:
        while (left := then - time.monotonic()) > 0 and not self._stop.requested:
            self._status.tick(time.monotonic_ns())
            time.sleep(min(left, TICK_S))

    def round(self) -> Iterable[tuple[str, Attempt]]:
        """Try every mechanism; a stop in between is not kept waiting."""
        unknown: ChannelError | None = None
        try:
            self.host = self._locate()
        except ChannelError as error:
            unknown = error
        for name, (mechanism, address) in self._targets.items():
            if self._stop.requested:
                return
            if unknown and Sharing.NETWORK in mechanism.traits.requires:
                yield name, Attempt(0.0, error=unknown.errno_name, text=str(unknown))
            else:
                yield name, attempt(mechanism, replace(address, host=self.host))

    def _trace_one(self) -> None:
        """Try a mechanism once more under the tracer, if an error of it is new: one between two rounds.

        A try that met an errno ends at once; one that met no answer has no call that failed.
        """
        new = ((name, last.error) for name, last in self._last.items() if last.error and last.error != NO_ANSWER)
        if self._stop.requested or (todo := next((it for it in new if it not in self._calls), None)) is None:
            return
        name, error = todo
        mechanism, address = self._targets[name]
        there = replace(address, host=self.host)
        self._calls[todo] = ""
        with suppress(OSError):  # no tracing here: the matrix has the errno alone
            calls = syscall_trace.trace_failed_syscalls(lambda: attempt(mechanism, there))
            self._calls[todo] = next((found.call for found in reversed(calls) if found.error == error), "")

    def remember(self, name: str, tried: Attempt) -> None:
        """The results to export next. A failure begins the row of round trips anew."""
        times = self._round_trips.setdefault(name, deque(maxlen=REMEMBERED))
        if tried.round_trip_s is None:
            times.clear()
        else:
            times.append(tried.round_trip_s)
        self._last[name] = tried

    def samples(self) -> Iterable[Sample]:
        """The results of the last tries; none for a mechanism that was not tried yet."""
        where = (str(self._placement),)
        for name, last in dict(self._last).items():
            yield Sample(metrics.PROBE_SUCCESS, last.success, where, name)
            yield Sample(metrics.PROBE_DURATION, last.duration_s, where, name)
            times = list(self._round_trips.get(name, ()))
            if times:
                yield Sample(metrics.PROBE_ROUND_TRIP, statistics.median(times), where, name)
                yield Sample(metrics.PROBE_ROUND_TRIP_BOUND, min(times), (*where, "lowest"), name)
                yield Sample(metrics.PROBE_ROUND_TRIP_BOUND, max(times), (*where, "highest"), name)
                yield Sample(metrics.PROBE_TRIES, len(times), where, name)
            else:
                call = self._calls.get((name, last.error), "")
                yield Sample(metrics.PROBE_ERROR, 1, (*where, last.error, call), name)
        if self._placement is Placement.SAME_CONTAINER and self.host:
            yield Sample(metrics.LISTEN_INFO, 1, (self.host,))
        yield from self._status.namespace_samples()
