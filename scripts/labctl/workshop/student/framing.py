"""Exercise 10: the student's program reads a FIFO that hands out 1 to n bytes, and hands each message to the ledger.

    student-peer, a producer of the lab ──FIFO──▶ relay ──FIFO, 1 to n bytes──▶ student-consumer ──datagrams──▶ ledger

Relay and ledger are one container, `student-ledger`. The relay pauses twice, each time in the middle of a message.
There the student's container is killed (SIGKILL) and started again. What the program had read and not handed over is
lost; the rest waits in the FIFO. See `ipclab.student.relay`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ipclab.building_blocks.framing import PREFIX_BYTES
from ipclab.student import PAUSED
from labctl.lab import state_files
from labctl.lab.containers import run_in
from labctl.terminal.errors import LabError
from labctl.terminal.waiting import wait_until
from labctl.workshop.student.containers import CHANNEL, CONSUMER, LEDGER, PEER, STATE, StudentContainers
from labctl.workshop.student.judgement import Judgement, counts, sent
from labctl.workshop.student.program import Program
from labctl.workshop.student.run import Run

FIFO, SOCKET = f"{CHANNEL}/fifo", f"{CHANNEL}/ledger"
_SOURCE = f"{CHANNEL}/source"
RATE = 25  # messages per second: the relay cuts each one into many pieces
_PHASES = 3  # between them the student's program is killed
_MESSAGES_A_PHASE = 30
_SILENT_AFTER_S = 8.0
_READY_WITHIN_S = 15.0
_LAST_WITHIN_S, _DRAINED_WITHIN_S = 2.0, 20.0
_GRACE_S = 3


@dataclass(frozen=True)
class FramingPair:
    """The three containers, running."""

    peer: Run
    ledger: Run
    student: Run


def start(containers: StudentContainers, program: Program, size_bytes: int, most: int, seed: int) -> FramingPair:
    """Start the lab's end, then the student's program, then the load; nothing pauses.

    :raises LabError: the lab's end does not start
    """
    return _start(containers, program, size_bytes, ["--most", str(most), "--seed", str(seed)])


def judge(containers: StudentContainers, program: Program, size_bytes: int, most: int, seed: int) -> Judgement:
    """Run the program under load and kill -9, and read both ledgers of the lab.

    :raises LabError: the lab's end does not start
    """
    frame = PREFIX_BYTES + size_bytes
    pauses = [phase * _MESSAGES_A_PHASE * frame + frame // 2 for phase in range(1, _PHASES)]
    options = ["--most", str(most), "--seed", str(seed), *(f"--pause={count}" for count in pauses)]
    pair = _start(containers, program, size_bytes, options)
    kills, problem = 0, None
    for phase in range(1, _PHASES):
        problem = _until(pair, lambda number=phase: _paused(pair, number))  # type: ignore[misc]
        if problem:
            break
        pair.student.kill()
        kills += 1
        pair.student.start()
        pair.ledger.container.kill("SIGUSR1")
    problem = problem or _until(pair, lambda: sent(pair.peer) >= _PHASES * _MESSAGES_A_PHASE)
    pair.peer.container.stop(timeout=_GRACE_S)  # SIGTERM: the producer ends after the message in hand
    taken = sent(pair.peer)
    if problem is None:
        _drain(pair, taken)
        problem = pair.student.problem()
    found = counts(pair.ledger)
    return Judgement(
        taken, found.received, max(0, taken - found.received), found.duplicated, found.corrupt, kills, problem
    )


def _start(containers: StudentContainers, program: Program, size_bytes: int, options: Sequence[str]) -> FramingPair:
    arguments = ["--source", _SOURCE, "--target", FIFO, "--ledger", SOCKET, *options]
    ledger = Run(containers.lab_end(LEDGER, ["student-ledger", *arguments]), "the ledger of the lab")
    ledger.start()
    if not ledger.wait_until(lambda: not run_in(ledger.container, ["test", "-p", FIFO]).code, _READY_WITHIN_S):
        why = ledger.problem() or f"no FIFO within {_READY_WITHIN_S:.0f} s"
        raise LabError(f"the other end of the exercise does not start: {why}", hint="./lab doctor looks for the cause")
    student = Run(containers.student(CONSUMER, program, [FIFO, SOCKET]), program.name)
    student.start()
    load = {"LAB_RATE": str(RATE), "LAB_SIZE": str(size_bytes)}
    peer = Run(containers.lab_end(PEER, ["producer", "fifo", "--path", _SOURCE], load), "the producer of the lab")
    peer.start()
    return FramingPair(peer, ledger, student)


def _paused(pair: FramingPair, number: int) -> bool:
    return f"{PAUSED}.{number}" in state_files.read(pair.ledger.container, STATE)


def _until(pair: FramingPair, reached: Callable[[], bool]) -> str | None:
    """Wait until the run is so far; the problem if the program hands over nothing more before, or ends."""
    name = pair.student.name
    while not reached():
        before = counts(pair.ledger).arrived
        pair.student.wait_until(lambda least=before: reached() or counts(pair.ledger).arrived > least, _SILENT_AFTER_S)  # type: ignore[misc]
        if pair.student.ended():
            return pair.student.problem() or f"{name} ended with exit code 0 while messages went on"
        if counts(pair.ledger).arrived == before and not reached():
            return f"{name} handed over nothing for {_SILENT_AFTER_S:.0f} s, after {before} messages"
    return None


def _drain(pair: FramingPair, taken: int) -> None:
    """Until every message has arrived, or nothing more does, or it takes too long."""
    deadline = time.monotonic() + _DRAINED_WITHIN_S
    while time.monotonic() < deadline:
        before = counts(pair.ledger).arrived
        if before >= taken or not wait_until(lambda least=before: counts(pair.ledger).arrived > least, _LAST_WITHIN_S):  # type: ignore[misc]
            return
