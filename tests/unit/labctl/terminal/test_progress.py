"""How a long step says that it ended."""

from __future__ import annotations

import re
from contextlib import suppress

import pytest

from labctl.terminal.progress import step
from labctl.terminal.signals import Terminated
from support.pseudo_terminal import run_on_terminal


@pytest.mark.parametrize(
    ("error", "word"),
    [(None, "done"), (KeyboardInterrupt(), "interrupted"), (Terminated(15), "interrupted"), (OSError(), "failed")],
)
def test_a_step_says_how_it_ended(error: BaseException | None, word: str, capsys: pytest.CaptureFixture[str]) -> None:
    with suppress(KeyboardInterrupt, OSError), step("Moving"):
        if error:
            raise error
    begin, end = capsys.readouterr().err.splitlines()
    assert begin.endswith("] Moving")
    assert f"] Moving: {word} (" in end


def test_a_step_whose_block_never_began_says_nothing_more(capsys: pytest.CaptureFixture[str]) -> None:
    """A signal comes between the two; "failed" would be said after the line with which the command ends."""
    begun = step("Moving")
    begun.__enter__()
    del begun
    (begin,) = capsys.readouterr().err.splitlines()
    assert begin.endswith("] Moving")


def test_steps_that_run_at_the_same_time_share_a_terminal() -> None:
    script = """
import os, threading
os.dup2(1, 2)  # where progress is shown
from labctl.terminal.progress import step
both = threading.Barrier(2, timeout=10)
def work(title):
    with step(title):
        both.wait()
        both.wait()
threads = [threading.Thread(target=work, args=(title,)) for title in ("Engine", "Base image")]
for thread in threads: thread.start()
for thread in threads: thread.join()
"""
    code, lines = run_on_terminal(["-c", script], columns=80)
    assert code == 0
    ended = [re.sub(r" \d+ s$", "", line.strip()) for line in lines if "✓" in line]
    assert sorted(ended) == ["✓ Base image", "✓ Engine"], lines
