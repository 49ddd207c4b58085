"""The child of exercise 8: it accounts, confirms, and dies where it is told to."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

from ipclab.accounting import message
from ipclab.accounting.ledger import corrupt_in, streams_in
from ipclab.building_blocks.framing import FrameWriter
from ipclab.student import DEATHS, DEATHS_VARIABLE, LEDGER

PRODUCER = 77


def frame(sequence: int) -> bytes:
    """One message, sealed and framed."""
    content = memoryview(bytearray(100))
    message.seal(content, producer=PRODUCER, epoch=1, sequence=sequence, due_ns=1, sent_ns=1)
    return b"".join(bytes(piece) for piece in FrameWriter(1 << 20).pieces(content))


def child(state: Path, sent: bytes, *options: str, deaths: str = "") -> subprocess.CompletedProcess[bytes]:
    """One life of the child, with `sent` on its standard input."""
    return subprocess.run(
        [sys.executable, "-m", "ipclab", "student-child", "--state", state, *options],
        input=sent,
        env={**os.environ, DEATHS_VARIABLE: deaths},
        capture_output=True,
        timeout=30,
        check=False,
    )


def received(state: Path) -> tuple[int, int]:
    """Messages received once, and duplicates."""
    streams = streams_in((state / LEDGER).read_bytes()).values()
    return sum(s.received for s in streams), sum(s.duplicate for s in streams)


def numbers(output: bytes) -> list[int]:
    """The confirmations."""
    return [int.from_bytes(output[at : at + 8], "little") for at in range(0, len(output), 8)]


def test_each_message_is_entered_and_confirmed(tmp_path: Path) -> None:
    done = child(tmp_path, b"".join(map(frame, range(5))), "--confirm")
    assert (done.returncode, numbers(done.stdout)) == (0, [0, 1, 2, 3, 4])
    assert received(tmp_path) == (5, 0)


def test_without_the_option_nothing_is_written(tmp_path: Path) -> None:
    assert child(tmp_path, frame(0)).stdout == b""
    assert received(tmp_path) == (1, 0)


def test_what_is_no_message_is_corrupt_and_costs_no_other(tmp_path: Path) -> None:
    done = child(tmp_path, frame(0) + b"garbage" + frame(1) + frame(2)[:50], "--confirm")
    assert numbers(done.stdout) == [0, 1]
    assert corrupt_in((tmp_path / LEDGER).read_bytes()) == 2


def test_the_first_death_is_after_the_ledger_and_the_second_before_it(tmp_path: Path) -> None:
    sent = b"".join(map(frame, range(10)))
    first = child(tmp_path, sent, "--confirm", deaths="3,6")
    assert (first.returncode, numbers(first.stdout)) == (-signal.SIGKILL, [0, 1, 2])
    assert received(tmp_path) == (4, 0)
    second = child(tmp_path, sent, "--confirm", deaths="3,6")  # all of it again: four are duplicates
    assert (second.returncode, numbers(second.stdout)) == (-signal.SIGKILL, [0, 1, 2, 3, 4, 5])
    assert received(tmp_path) == (6, 4)
    third = child(tmp_path, b"".join(map(frame, range(6, 10))), "--confirm", deaths="3,6")
    assert (third.returncode, numbers(third.stdout)) == (0, [6, 7, 8, 9])
    assert received(tmp_path) == (10, 4)
    assert len((tmp_path / DEATHS).read_text().splitlines()) == 2


def test_nobody_reads_the_confirmations(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        [sys.executable, "-m", "ipclab", "student-child", "--confirm", "--state", tmp_path],
        input=frame(0),
        stdout=writing,
        stderr=subprocess.PIPE,
        timeout=30,
        check=False,
    )
    os.close(writing)
    assert (done.returncode, done.stderr.decode()) == (1, "error: nobody reads the confirmations: EPIPE\n")
