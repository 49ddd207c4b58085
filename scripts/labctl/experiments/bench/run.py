"""One run: a consumer and a producer of one cell are started, meet, are let go together, and say what came of it.

See `ipclab.bench.endpoint` for the course of an endpoint, and `ipclab.bench.agent` for who starts it.
"""

from __future__ import annotations

import time
import zlib
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ipclab.bench.messages import HEADER_BYTES, pattern_of, payloads_of
from ipclab.bench.request import Request, Shape, Side, arguments
from ipclab.contract.channel import KEYS_PER_CHANNEL, Address
from labctl.experiments.bench.cells import Cell, Cpus
from labctl.experiments.bench.link import Event, Group

BURST = 32
_KEY, _KEYS_OF_A_RUN, _RUNS_WITH_OWN_KEYS = 0x1BE0000, 2 * KEYS_PER_CHANNEL, 1000
_START_WITHIN_S = 20.0
_SILENCE_S = 5.0
_SILENCE_OF_LOSSY_S = 0.15  # a message that is lost ends its run: nobody waits long for it
_SAMPLES = 1000
_MOST_WARMUP = 2000


class RunFailed(Exception):
    """A run has no figure; the text says why, in one line."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What one run measured. Of a round trip, a message is there and back. Shares are of the time of all CPUs.

    `samples_ns` are times per message (`ipclab.bench.loops`), `size` is the length that arrived, in bytes.
    """

    count: int
    received: int
    seconds: float
    samples_ns: tuple[int, ...]
    cpu_s: float
    voluntary: int
    involuntary: int
    size: int
    lost: int
    reordered: int
    duplicated: int
    corrupt: int
    foreign_share: float
    steal_share: float

    @property
    def us(self) -> float:
        """Microseconds per message that arrived."""
        return self.seconds * 1e6 / max(1, self.received)


def request_of(cell: Cell, count: int, group: Group, cpus: tuple[int, int], number: int) -> Request:
    """What the consumer is asked; the producer is asked the same.

    :param number: of the run: each has keys and names of its own, so that no run meets what another one left
    """
    lossy = not cell.row.reliable
    one_way = cell.shape is Shape.ONE_WAY
    slot = number % _RUNS_WITH_OWN_KEYS
    key = _KEY + slot * _KEYS_OF_A_RUN
    count = max(1, count)
    if cell.shape is Shape.BURST:
        count = -(-count // BURST) * BURST
    warmup = min(_MOST_WARMUP, max(8, count // 10))
    if cell.shape is Shape.BURST:
        warmup = BURST
    elif lossy and one_way:
        warmup = 2
    return Request(
        mechanism=cell.row.mechanism,
        role=Side.CONSUMER,
        shape=cell.shape,
        size=cell.size,
        count=count,
        warmup=warmup,
        burst=BURST,
        sample_every=max(1, count // _SAMPLES),
        wait=cell.wait,
        copies=cell.copies,
        touched=cell.touched,
        silence_s=_SILENCE_OF_LOSSY_S if lossy else _SILENCE_S,
        address=Address(key, Path(f"{group.root}{number}"), group.hosts[0], group.port),
        back=Address(key + KEYS_PER_CHANNEL, Path(f"{group.root}{number}-back"), group.hosts[1], group.port + 1),
        cpu=cpus[0],
        peer_cpu=cpus[0] if cell.cpus is Cpus.ONE else cpus[1],
    )


def run(cell: Cell, request: Request, group: Group, deadline_s: float) -> Outcome:
    """Run the cell once.

    :raises RunFailed: an endpoint failed, or what arrived is not what the row promises
    :raises LabError: an agent has ended
    """
    return _Run(cell, request, group, deadline_s).outcome()


class _Run:
    def __init__(self, cell: Cell, request: Request, group: Group, deadline_s: float) -> None:
        self._cell = cell
        self._request = request
        self._group = group
        self._deadline_s = deadline_s
        self._deadline = time.monotonic() + deadline_s + _START_WITHIN_S
        self._expected = 1 if cell.row.together else 2
        self._warm: set[str] = set()
        self._results: dict[str, Event] = {}
        self._exits: dict[str, Event] = {}
        self._began = 0
        self._own_s = 0.0
        self._problem = ""

    def outcome(self) -> Outcome:
        own_s = time.process_time()
        if self._cell.row.together:
            self._start(Group.CONSUMER, Side.BOTH)
        else:
            self._start(Group.CONSUMER, Side.CONSUMER)
        while len(self._exits) < self._began:
            name, event = self._group.next(self._deadline)
            self._take(name, event)
        self._own_s = time.process_time() - own_s
        if self._problem:
            raise RunFailed(self._problem)
        if self._cell.row.limit:
            return self._of_limit()
        missing = {"producer", "consumer"} - set(self._results)
        if missing:
            codes = ", ".join(f"{name} exit code {event['code']}" for name, event in self._exits.items())
            raise RunFailed(f"no result from the {' and the '.join(sorted(missing))} ({codes})")
        found = self._of_pair(self._results["consumer"], self._results["producer"])
        if problem := broken_promise(self._cell, self._request, found, self._results):
            raise RunFailed(problem)
        return found

    def _start(self, name: str, role: Side) -> None:
        cpu = self._request.cpu if name == Group.PRODUCER else self._request.peer_cpu
        words = [self._cell.row.command, *arguments(replace(self._request, role=role))]
        self._group.links[name].start(words, cpu, self._deadline_s)
        self._began += 1

    def _take(self, name: str, event: Event) -> None:
        match event["event"]:
            case "ready" if event["role"] == Side.CONSUMER and not self._cell.row.together:
                self._start(Group.PRODUCER, Side.PRODUCER)
            case "warm":
                self._warm.add(event["role"])
                if len(self._warm) == (1 if self._cell.row.limit else 2):
                    for link in (Group.CONSUMER, Group.PRODUCER)[: self._expected]:
                        self._group.links[link].go()
            case "result":
                self._results[event["role"]] = event
            case "error":
                self._fail(name, f"{event['role']}: {event['message']}")
            case "exit":
                self._exits[name] = event
                if event["killed"] and not self._problem:
                    self._fail(name, f"{name}: killed after {self._deadline_s:.0f} s")
                elif event["code"]:
                    self._fail(name, f"{name}: exit code {event['code']}")

    def _fail(self, name: str, why: str) -> None:
        """The first reason counts. The other side may wait for what does not come."""
        if not self._problem:
            self._problem = why
            for other, link in self._group.links.items():
                if other != name and other not in self._exits:
                    link.stop()

    def _of_limit(self) -> Outcome:
        result = self._results.get(Side.BOTH)
        if result is None:
            raise RunFailed("no result")
        count = int(result["count"])
        return self._outcome(result["end_ns"] - result["begin_ns"], count, count, [result], result)

    def _of_pair(self, consumer: Event, producer: Event) -> Outcome:
        end_ns = producer["end_ns"] if self._request.shape is Shape.ROUND_TRIP else consumer["end_ns"]
        received = int(consumer["received"])
        both = [consumer, producer]
        return self._outcome(end_ns - producer["begin_ns"], self._request.count, received, both, consumer)

    def _outcome(self, ns: int, count: int, received: int, sides: list[Event], counts: Event) -> Outcome:
        samples = max((side["samples_ns"] for side in sides), key=len)
        foreign, steal = self._shares()
        return Outcome(
            count=count,
            received=received,
            seconds=max(1, ns) / 1e9,
            samples_ns=tuple(samples),
            cpu_s=sum(side["cpu_ns"] for side in sides) / 1e9,
            voluntary=sum(side["voluntary"] for side in sides),
            involuntary=sum(side["involuntary"] for side in sides),
            size=int(counts["size"]),
            lost=int(counts.get("lost", 0)),
            reordered=int(counts.get("reordered", 0)),
            duplicated=int(counts.get("duplicated", 0)),
            corrupt=sum(int(side.get("corrupt", 0)) for side in sides),
            foreign_share=foreign,
            steal_share=steal,
        )

    def _shares(self) -> tuple[float, float]:
        """Of the time of all CPUs from the start of the consumer to its end: others' processes, and the hypervisor."""
        window = self._exits[Group.CONSUMER]
        own_s = sum(event["own_cpu_s"] for event in self._exits.values()) + self._own_s
        all_s = max(1e-9, window["wall_s"] * window["cpus"])
        return min(1.0, max(0.0, (window["busy_s"] - own_s) / all_s)), min(1.0, window["steal_s"] / all_s)


def broken_promise(cell: Cell, request: Request, found: Outcome, results: dict[str, Any]) -> str:
    """What the row promises and the run did not keep, in one line; empty if it kept everything."""
    row = cell.row
    sent = results["producer"]["sent"]
    if sent != request.count and row.reliable:
        return f"{sent} of {request.count} messages were sent"
    if found.corrupt:
        return f"{found.corrupt} of {request.count} messages arrived with other bytes than were sent"
    if row.reliable and (found.lost or found.duplicated):
        return f"{found.lost} of {request.count} messages lost, {found.duplicated} duplicated"
    if row.ordered and found.reordered:
        return f"{found.reordered} of {request.count} messages out of order"
    if found.received and found.size != request.size:
        return f"messages of {request.size} bytes arrived with {found.size}"
    crc = results["consumer"].get("crc32")
    if row.reliable and crc is not None and crc != expected_crc(cell, request):
        return f"the checksum of the last message is {crc:#010x}, not {expected_crc(cell, request):#010x}"
    return ""


def expected_crc(cell: Cell, request: Request) -> int:
    """The CRC-32 of the last payload; 0 where it was handed over in place, and nobody wrote it."""
    if not (cell.touched or cell.copies):
        return 0
    last = request.warmup + request.count - 1 if cell.touched else 0
    size = max(request.size, HEADER_BYTES)
    return zlib.crc32(payloads_of(pattern_of(size), size)[last % 8])
