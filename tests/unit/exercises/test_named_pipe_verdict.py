"""The check of the named pipe says what is missing, and not the number that is to be found."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from labctl.workshop.exercise import recording
from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.exercise import find
from labctl.workshop.exercise.judge import judge
from labctl.workshop.exercise.recording import Recording, Replay
from labctl.workshop.exercise.verdict import Outcome, Verdict

IT = find("9")
_CLEAN_S = 10


def verdict_of(change: Callable[[Recording], None]) -> Verdict:
    """What the check says of the recorded solution after the change."""
    found = recording.read(IT.folder / "recorded" / "solved.json")
    change(found)
    return judge(Attempt(IT, Replay(found), found.values, found.guess))


def lines_of(found: Recording, *words: str) -> list[dict[str, Any]]:
    """The recorded histories of the questions with all of these words."""
    chosen = [answers for question, answers in found.answers.items() if all(word in question for word in words)]
    lines = [line for answers in chosen for answer in answers for line in answer]
    assert lines, words
    return lines


def size_is(size_bytes: float) -> Callable[[Recording], None]:
    """Both producers send messages of another size in the end."""

    def change(found: Recording) -> None:
        for line in lines_of(found, "history", "ipc_message_size_bytes"):
            line["values"][-1] = size_bytes

    return change


def mixed_before_the_end(seconds: int) -> Callable[[Recording], None]:
    """A message was mixed so many seconds before the check."""

    def change(found: Recording) -> None:
        for line in lines_of(found, "history", "ipc_messages_corrupt_total"):
            for index in range(len(line["values"]) - seconds, len(line["values"])):
                line["values"][index] += 1

    return change


def test_the_seconds_that_are_missing_are_said() -> None:
    for seconds in (1, 4, 7):
        verdict = verdict_of(mixed_before_the_end(seconds))
        assert verdict.outcome is Outcome.NOT_YET
        assert verdict.saw.startswith("1 corrupt messages in the last 10 seconds")
        clean = seconds - 1  # the second in which it was mixed is none
        assert verdict.saw.endswith(f"the last {clean} seconds")
        assert f"; {_CLEAN_S - clean} are missing" in verdict.waits_for


@pytest.mark.parametrize(
    ("size_bytes", "word"), [(4096.0, "more than"), (65536.0, "more than"), (3900.0, "larger"), (64.0, "larger")]
)
def test_a_size_is_too_large_or_too_small_and_the_right_one_is_not_told(size_bytes: float, word: str) -> None:
    verdict = verdict_of(size_is(size_bytes))
    assert verdict.outcome is Outcome.NOT_YET
    assert word in verdict.saw
    said = f"{verdict.saw} {verdict.waits_for}".replace(f"{size_bytes:,.0f}", "")
    assert not re.search(r"4,?0(84|96)", said)
