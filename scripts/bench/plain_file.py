"""What a plain file costs as a channel: with and without its lock, with and without fsync, and beside a FIFO.

Why it is slower: an append is five system calls with the lock (flock, fstat, pread, pwritev, flock) and three
without, where a FIFO takes one; the reader is told by inotify(7) and then has to look what is new, with the lock again;
and fsync(2) waits for the disk. Without the
lock messages can be lost although there is one writer: the reader shortens the file, and what is appended between
its look at the length and its cut is gone.

Two processes, a channel in the directory for temporary files. An append is timed in the sender, which goes at full
speed while the other reads along. A message alone comes when the reader has waited for a while, and is timed from
before `send` until `receive_into` has it (CLOCK_MONOTONIC).
"""

from __future__ import annotations

import json
import os
import statistics
import struct
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from bench import rig
from bench.rig import Cpus
from ipclab import mechanisms
from ipclab.contract.channel import Address, Mechanism, Sender, Switch, Tuning
from ipclab.contract.errors import PeerAbsent, ReceiveTimeout, TornMessage

MESSAGE_BYTES = 1024
ROUNDS = 5
APPENDS = 2000
SYNCED_APPENDS = 100
ALONE = 40
_PAUSE_S = 0.05  # the reader is asleep by then
_TIMEOUT_S = 10.0
_QUIET_S = 1.0  # so long after the last message no more is expected
_STAMP = struct.Struct("=Q")


@dataclass(frozen=True, slots=True)
class _Case:
    """A mechanism with its switches, and how many messages a run appends."""

    mechanism: str
    switches: dict[Switch, bool]
    appends: int = APPENDS

    def name(self) -> str:
        states = (f"{switch}={'on' if on else 'off'}" for switch, on in self.switches.items())
        return " ".join((self.mechanism, *states))


@dataclass(frozen=True, slots=True)
class _Figures:
    """Of one run, or the medians of several; `lost` is their sum."""

    append_us: float
    alone_us: float
    lost: int
    foreign_share: float


_CASES = (
    _Case("fifo", {}),
    _Case("plain_file", {Switch.APPEND_LOCK: False, Switch.FSYNC: False}),
    _Case("plain_file", {Switch.APPEND_LOCK: True, Switch.FSYNC: False}),
    _Case("plain_file", {Switch.APPEND_LOCK: False, Switch.FSYNC: True}, SYNCED_APPENDS),
    _Case("plain_file", {Switch.APPEND_LOCK: True, Switch.FSYNC: True}, SYNCED_APPENDS),
)


def report() -> list[str]:
    """The lines to print: microseconds an append and until a message alone is received, and ratios to the FIFO's."""
    which = Cpus.TWO if len(os.sched_getaffinity(0)) > 1 else Cpus.ONE
    runs: list[list[_Figures]] = [[] for _ in _CASES]
    for _ in range(ROUNDS):  # interleaved: what the machine does meanwhile hits all of them
        for case, own in zip(_CASES, runs, strict=True):
            own.append(_run(case, which))
    found = [_medians(own) for own in runs]
    busy = max(figures.foreign_share for figures in found)
    lines = [
        f"plain_file, {MESSAGE_BYTES} B, cpus={which}, {_file_system()}, medians of {ROUNDS} runs, "
        f"others had up to {busy:.0%} of the CPUs:"
    ]
    for case, figures in zip(_CASES, found, strict=True):
        append, alone = figures.append_us / found[0].append_us, figures.alone_us / found[0].alone_us
        lines.append(
            f"  {case.name():30} append {figures.append_us:8,.1f} µs ({append:5.1f} x fifo), "
            f"alone {figures.alone_us:8,.0f} µs ({alone:5.1f} x fifo), "
            f"lost {figures.lost:,} of {ROUNDS * (case.appends + ALONE):,}"
        )
    return lines


def _run(case: _Case, which: Cpus) -> _Figures:
    mechanism = mechanisms.load(case.mechanism, Tuning(switches=case.switches))

    def send_all(sender: Sender) -> None:
        message = memoryview(bytearray(MESSAGE_BYTES))
        for _ in range(case.appends):
            sender.send(message, _TIMEOUT_S)

    def send_alone(sender: Sender) -> None:
        message = bytearray(MESSAGE_BYTES)
        for _ in range(ALONE):
            time.sleep(_PAUSE_S)
            _STAMP.pack_into(message, 0, time.monotonic_ns())
            sender.send(memoryview(message), _TIMEOUT_S)

    poured, came, _ = _send(mechanism, case.appends, send_all, which)
    _, came_alone, delay_ns = _send(mechanism, ALONE, send_alone, which)
    lost = case.appends + ALONE - came - came_alone
    return _Figures(poured.seconds / case.appends * 1e6, delay_ns / 1e3, lost, poured.foreign_share)


def _send(mechanism: Mechanism, count: int, send: Callable[[Sender], None], which: Cpus) -> tuple[rig.Run, int, float]:
    """How long `send` took, how many messages came, and the median nanoseconds since their stamps."""
    with tempfile.TemporaryDirectory() as directory:
        address, answer = Address(path=Path(directory) / "channel"), Path(directory) / "answer"

        def parent() -> float:
            with _open(mechanism, address) as sender:
                begin = time.perf_counter()
                send(sender)
                return time.perf_counter() - begin

        def child() -> None:
            delays = _receive(mechanism, address, count)
            answer.write_text(json.dumps([len(delays), statistics.median(delays)]), encoding="utf-8")

        run = rig.run(which, parent, child)
        came, delay_ns = json.loads(answer.read_text(encoding="utf-8"))
    return run, came, delay_ns


def _open(mechanism: Mechanism, address: Address) -> Sender:
    while True:
        try:
            return mechanism.open_sender(address)
        except PeerAbsent:
            time.sleep(0.001)


def _receive(mechanism: Mechanism, address: Address, count: int) -> list[int]:
    """Nanoseconds since the stamp of each message that came, of `count`."""
    buffer, delays = memoryview(bytearray(MESSAGE_BYTES)), list[int]()
    with mechanism.create_receiver(address) as receiver, suppress(ReceiveTimeout):
        while len(delays) < count:
            with suppress(TornMessage):
                receiver.receive_into(buffer, _QUIET_S)
                delays.append(time.monotonic_ns() - int(_STAMP.unpack_from(buffer)[0]))
    return delays


def _medians(runs: list[_Figures]) -> _Figures:
    return _Figures(
        statistics.median(run.append_us for run in runs),
        statistics.median(run.alone_us for run in runs),
        sum(run.lost for run in runs),
        statistics.median(run.foreign_share for run in runs),
    )


def _file_system() -> str:
    """The kind of file system that the channel is in: fsync(2) is nothing on a tmpfs."""
    directory = Path(tempfile.gettempdir()).resolve()
    mounts = [line.split() for line in Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()]
    return max((m for m in mounts if directory.is_relative_to(m[1])), key=lambda m: len(m[1]))[2]
