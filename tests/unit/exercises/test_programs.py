"""What a student writes in exercises 8 and 10, run against the lab's ends without containers, under kill -9.

The starter file does not solve it, both solutions do, and each wrong one that looks right does not.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from ipclab.accounting import message
from ipclab.accounting.checker import Checker
from ipclab.accounting.ledger import ConsumerLedger, corrupt_in, streams_in
from ipclab.building_blocks.framing import PREFIX_BYTES, FrameWriter
from ipclab.student import DEATHS, DEATHS_VARIABLE, LEDGER, ledger_end
from ipclab.student.relay import Relay, make_fifo

EXERCISES = Path(__file__).resolve().parents[3] / "exercises"
PARENT, READER = EXERCISES / "08_anonymous_pipe", EXERCISES / "10_byte_stream"
COUNT, KILLS = 300, 2
MESSAGES, SIZE, MOST = 60, 150, 24


@dataclass(frozen=True)
class Counts:
    """Of the ledger of the lab's end."""

    received: int
    duplicated: int
    corrupt: int


def counts(ledger: Path) -> Counts:
    """What the file has now."""
    content = ledger.read_bytes()
    streams = streams_in(content).values()
    return Counts(sum(s.received for s in streams), sum(s.duplicate for s in streams), corrupt_in(content))


def run_parent(program: Path, state: Path, within_s: float) -> tuple[int | None, Counts]:
    """The exit code of the parent, None if it hangs; and the ledger of its children."""
    deaths = f"{COUNT // 3},{2 * COUNT // 3}"
    environment = {**os.environ, DEATHS_VARIABLE: deaths, "LAB_STUDENT_STATE": str(state)}
    process = subprocess.Popen(
        [sys.executable, program, str(COUNT)], env=environment, stderr=subprocess.DEVNULL, start_new_session=True
    )
    try:
        code = process.wait(within_s)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        if process.poll() is None:
            os.killpg(process.pid, 9)
            process.wait()
    return code, counts(state / LEDGER)


@pytest.mark.parametrize("solution", ["solution", "solution_2"])
def test_a_solution_of_the_parent_loses_nothing(solution: str, tmp_path: Path) -> None:
    code, found = run_parent(PARENT / solution / "solution.py", tmp_path, 60)
    assert (code, found.received, found.corrupt) == (0, COUNT, 0)
    assert found.duplicated <= KILLS
    assert len((tmp_path / DEATHS).read_text().splitlines()) == KILLS


def test_a_parent_without_confirmations_loses_what_was_in_the_pipe(tmp_path: Path) -> None:
    code, found = run_parent(PARENT / "wrong" / "wrong.py", tmp_path, 60)
    assert code == 0
    assert found.received < COUNT


def test_a_parent_that_keeps_the_ends_of_its_child_waits_for_ever(tmp_path: Path) -> None:
    code, found = run_parent(PARENT / "wrong_2" / "wrong.py", tmp_path, 5)
    assert code is None
    assert found.received < COUNT


def produce(target: int) -> None:
    """Write the frames of `MESSAGES` messages."""
    writer = FrameWriter(1 << 20)
    for sequence in range(MESSAGES):
        content = memoryview(bytearray(os.urandom(SIZE)))
        message.seal(content, producer=5, epoch=1, sequence=sequence, due_ns=1, sent_ns=1)
        os.write(target, b"".join(bytes(piece) for piece in writer.pieces(content)))


def run_reader(program: Path, folder: Path, *, right: bool) -> Counts:
    """The ledger after the reader was killed twice within a message, and read what was left, or stopped reading.

    :param right: wait for what a right program hands over; else until nothing more is handed over
    """

    def handed_over(messages: int) -> None:
        if right:
            wait_for(lambda: counts(folder / LEDGER).received >= messages)
        else:
            wait_until_still(folder / LEDGER)

    frame = PREFIX_BYTES + SIZE
    pauses = [part * MESSAGES // 3 * frame + frame // 2 for part in (1, 2)]
    source, target = make_fifo(folder / "source"), make_fifo(folder / "fifo")
    relay = Relay(source, target, MOST, pauses=pauses, paused=folder / "paused")
    ended = threading.Event()
    checker = Checker(ConsumerLedger(folder / LEDGER), ordered=True)
    with ledger_end.listen(folder / "ledger") as listener:
        entering = threading.Thread(target=ledger_end.account, args=(listener, checker, ended.is_set, 0.05))
        entering.start()
        relay.start()
        produce(source)
        for kill in range(1, KILLS + 1):
            reader = start_reader(program, folder)
            wait_for(lambda number=kill: (folder / f"paused.{number}").exists())  # type: ignore[misc]
            handed_over(kill * MESSAGES // 3 - (kill - 1))
            reader.kill()
            reader.wait()
            relay.resume()
        reader = start_reader(program, folder)
        handed_over(MESSAGES - KILLS)
        reader.kill()
        reader.wait()
        relay.stop()
        ended.set()
        entering.join()
    os.write(source, b"!")  # wakes the relay, which then ends
    return counts(folder / LEDGER)


def start_reader(program: Path, folder: Path) -> subprocess.Popen[bytes]:
    """One life of the program."""
    return subprocess.Popen([sys.executable, program, folder / "fifo", folder / "ledger"], stderr=subprocess.DEVNULL)


def wait_for(condition: Callable[[], bool]) -> None:
    """Until the condition holds."""
    deadline = time.monotonic() + 60
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def wait_until_still(ledger: Path) -> None:
    """Until the ledger has not changed for a second: nothing more is handed over."""
    last, since = counts(ledger), time.monotonic()
    while time.monotonic() < since + 1:
        time.sleep(0.05)
        if (now := counts(ledger)) != last:
            last, since = now, time.monotonic()


@pytest.mark.parametrize("solution", ["solution", "solution_2"])
def test_a_solution_of_the_reader_loses_what_it_had_read_and_no_more(solution: str, tmp_path: Path) -> None:
    found = run_reader(READER / solution / "solution.py", tmp_path, right=True)
    assert (found.duplicated, found.corrupt) == (0, 0)
    assert found.received == MESSAGES - KILLS


def test_a_reader_of_whole_reads_finds_no_message(tmp_path: Path) -> None:
    assert run_reader(READER / "wrong" / "wrong.py", tmp_path, right=False).received == 0


def test_a_reader_that_does_not_resynchronize_is_lost_after_the_first_kill(tmp_path: Path) -> None:
    assert run_reader(READER / "wrong_2" / "wrong.py", tmp_path, right=False).received <= MESSAGES // 3


def test_the_starter_of_the_reader_hands_over_pieces(tmp_path: Path) -> None:
    found = run_reader(READER / "starter.py", tmp_path, right=False)
    assert found.received == 0
    assert found.corrupt > 0
