"""States that look solved and are not: a recorded solution with one thing changed, as a student may leave it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest

from labctl.workshop.exercise import recording
from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.exercise import find
from labctl.workshop.exercise.judge import judge
from labctl.workshop.exercise.recording import Recording, Replay
from labctl.workshop.exercise.verdict import Outcome, Verdict


def verdict_of(number: str, change: Callable[[Recording], None] = lambda _: None) -> Verdict:
    """What the check says of the recorded solution after the change."""
    exercise = find(number)
    found = recording.read(exercise.folder / "recorded" / "solved.json")
    change(found)
    return judge(Attempt(exercise, Replay(found), found.values, found.guess))


def answers_to(found: Recording, *words: str) -> list[list[Any]]:
    """The recorded answers to the questions that have all of these words."""
    chosen = [answers for question, answers in found.answers.items() if all(word in question for word in words)]
    assert chosen, words
    return chosen


def containers_of(found: Recording, mechanism: str, role: str = "") -> list[dict[str, Any]]:
    """The containers of a pair, in every answer."""
    return [
        container
        for answers in answers_to(found, "containers")
        for answer in answers
        for container in answer
        if container["mechanism"] == mechanism and role in ("", container["role"])
    ]


@dataclass(frozen=True)
class NearMiss:
    """A change, and what becomes of the verdict."""

    number: str
    what: str
    change: Callable[[Recording], None]
    outcome: Outcome = Outcome.NOT_YET


def all_values(found: Recording, value: float, *words: str) -> None:
    """Every number of these answers is `value`."""
    for answers in answers_to(found, *words):
        for answer in answers:
            for series in answer:
                if "values" in series:
                    series["values"] = [value] * len(series["values"])
                else:
                    series["value"] = value


def no_answer(found: Recording, *words: str) -> None:
    """Nothing answers these questions."""
    for answers in answers_to(found, *words):
        answers[:] = [[] for _ in answers]


def in_containers(mechanism: str, role: str = "", **facts: Any) -> Callable[[Recording], None]:
    """These facts of the containers of a pair."""

    def change(found: Recording) -> None:
        chosen = containers_of(found, mechanism, role)
        assert chosen
        for container in chosen:
            container.update(facts)

    return change


def text(content: str | None) -> Callable[[Recording], None]:
    """What the file has."""

    def change(found: Recording) -> None:
        for answers in answers_to(found, "text "):
            answers[:] = [content]

    return change


def speedups(**facts: float) -> Callable[[Recording], None]:
    """These facts of every comparison."""

    def change(found: Recording) -> None:
        for answers in answers_to(found, "speedups"):
            for answer in answers:
                for comparison in answer:
                    comparison.update(facts)

    return change


def another_pair_restarted(found: Recording) -> None:
    """A container of a healthy pair of the mystery is younger than the exercise."""
    broken = str(found.values["fault"]).partition(":")[2]
    other = next(pair for pair in find("18").pairs if pair != broken)
    for container in containers_of(found, other, "producer"):
        container["started_at"] = found.started_at + 5


def the_broken_one_is_paused(found: Recording) -> None:
    """The pair of the mystery is not mended."""
    for container in containers_of(found, str(found.values["fault"]).partition(":")[2], "consumer"):
        container["state"] = "paused"


NEAR_MISSES = [
    NearMiss("13", "killed, not renamed", in_containers("tcp", "consumer", state="exited")),
    NearMiss("13", "moved, not renamed", in_containers("tcp", "consumer", placement="shared_ipc")),
    NearMiss("13", "one consumer at the mailbox", lambda it: all_values(it, 1.0, "count", "received", "sysv_mq")),
    NearMiss("13", "tcp goes on", lambda it: all_values(it, 200.0, "rate(ipc_messages_received", "tcp")),
    NearMiss("13", "no exporter", lambda it: no_answer(it, "ipc_load_rate", "tcp"), Outcome.CANNOT_TELL),
    NearMiss("14", "private map", text("\0" * 4096)),
    NearMiss("14", "another word", text("violet\0\0")),
    NearMiss("14", "no file", text(None)),
    NearMiss("14", "one side lives", in_containers("mmap_file", "consumer", state="running")),
    NearMiss("14", "small messages", lambda it: all_values(it, 1024.0, "ipc_message_size_bytes", "fifo")),
    NearMiss("14", "never seen", lambda it: no_answer(it, "ipc_message_size_bytes", "fifo"), Outcome.CANNOT_TELL),
    NearMiss("15", "another mechanism", speedups(mechanism="udp")),  # type: ignore[arg-type]
    NearMiss("15", "one worker", speedups(workers=1)),
    NearMiss("15", "communication eats nothing", speedups(moving_s=0.001, computing_s=1.0)),
    NearMiss("15", "communication eats everything", speedups(moving_s=2.0, computing_s=1.0)),
    NearMiss("16", "both were undone", lambda it: all_values(it, 1.0, "history", "0x5f1001")),
    NearMiss("16", "no exporter", lambda it: no_answer(it, "ipc_kernel_limit"), Outcome.CANNOT_TELL),
    NearMiss("17", "never spun", lambda it: all_values(it, 0.0, "history", "wait='spin'")),
    NearMiss("17", "one side spins", lambda it: all_values(it, 1.0, "history", "wait='spin'")),
    NearMiss("17", "one rate", lambda it: all_values(it, 200.0, "history", "ipc_load_rate")),
    NearMiss("17", "never seen", lambda it: no_answer(it, "history", "ipc_load_rate"), Outcome.CANNOT_TELL),
    NearMiss("18", "a healthy pair was restarted", another_pair_restarted),
    NearMiss("18", "not mended", the_broken_one_is_paused),
    NearMiss("18", "the lab was reset", lambda it: all_values(it, 1e12, "ipc_messages_sent_total", "@")),
    NearMiss("18", "never broken", lambda it: all_values(it, 600.0, "history"), Outcome.CANNOT_TELL),
]


@pytest.mark.parametrize("near", NEAR_MISSES, ids=lambda near: f"{near.number}-{near.what}")
def test_a_state_that_looks_solved_is_not(near: NearMiss) -> None:
    assert verdict_of(near.number).outcome is Outcome.SOLVED
    verdict = verdict_of(near.number, near.change)
    assert verdict.outcome is near.outcome, verdict


def test_the_check_of_the_mystery_names_no_pair_before_it_is_mended() -> None:
    verdict = verdict_of("18", the_broken_one_is_paused)
    said = f"{verdict.saw} {verdict.waits_for}"
    assert not any(pair in said for pair in find("18").pairs)
    assert verdict.measured == {}
