"""Every check, of a lab that does not answer, has no series, or lacks a pair: never solved, never a traceback."""

from __future__ import annotations

from typing import Any

import pytest
import requests
from docker.errors import NotFound

from labctl.terminal.errors import LabError
from labctl.workshop.exercise import exercise, recording
from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.exercise import Exercise
from labctl.workshop.exercise.judge import judge
from labctl.workshop.exercise.language import Language
from labctl.workshop.exercise.recording import Recording, Replay
from labctl.workshop.exercise.verdict import Outcome, Verdict

EXERCISES = exercise.every()
each = pytest.mark.parametrize("it", EXERCISES, ids=lambda it: it.name)
either = pytest.mark.parametrize("language", Language)


def solved(it: Exercise) -> Recording:
    """What the check of the first solution saw."""
    return recording.read(it.folder / "recorded" / "solved.json")


def verdict_of(it: Exercise, found: Recording, language: Language, sees: type[Replay] = Replay) -> Verdict:
    """What the check says of it."""
    return judge(Attempt(it, sees(found), found.values, found.guess, language))


def failing(error: Exception) -> type[Replay]:
    """A lab whose every answer is this error."""

    class Failing(Replay):
        def _next(self, question: str) -> Any:
            raise error from LookupError(question)

    return Failing


@each
@either
@pytest.mark.parametrize(
    "error",
    [LabError("no Docker Engine answers", hint="./lab up"), NotFound("no such container"), requests.Timeout("slow")],
    ids=["lab", "engine", "http"],
)
def test_a_lab_that_does_not_answer_cannot_be_judged(it: Exercise, language: Language, error: Exception) -> None:
    verdict = verdict_of(it, solved(it), language, failing(error))
    assert verdict.outcome is Outcome.CANNOT_TELL
    assert verdict.saw
    assert "\n" not in verdict.saw


def test_a_container_that_is_gone_is_said_in_the_words_of_the_lab() -> None:
    it = exercise.find("9")
    verdict = verdict_of(it, solved(it), Language.ENGLISH, failing(NotFound("No such container: 0123456789ab")))
    assert verdict.saw == "a container was removed while the check looked at it"


class Empty(Replay):
    """Prometheus answers, and has no series; the engine has no container."""

    def _next(self, question: str) -> Any:
        kind = question.partition(" ")[0]
        return [] if kind in ("query", "history", "containers", "speedups") else super()._next(question)


@each
@either
def test_a_lab_without_measurements_and_containers_solves_nothing(it: Exercise, language: Language) -> None:
    if it.writing and it.writing.role != "racer":
        pytest.skip("the judge is the ledger of the student's own run")
    verdict = verdict_of(it, solved(it), language, Empty)
    assert verdict.outcome in (Outcome.NOT_YET, Outcome.CANNOT_TELL)
    assert verdict.saw


def without(found: Recording, pair: str) -> None:
    """Take the containers of a pair and all series of it out of a recording."""
    for question, answers in found.answers.items():
        for answer in answers:
            if not isinstance(answer, list):
                continue
            named = f"'{pair}'" in question
            answer[:] = [
                each
                for each in answer
                if not named and pair not in (each.get("mechanism"), *each.get("labels", {}).values())
            ]


@each
@either
def test_a_pair_that_is_missing_is_no_solution(it: Exercise, language: Language) -> None:
    """But for a pair that the student's values did not choose, and one that the check does not look at."""
    for pair in it.pairs:
        found = solved(it)
        looked_at = any(f"'{pair}'" in question for question in found.answers)
        without(found, pair)
        verdict = verdict_of(it, found, language)
        assert verdict.saw
        assert verdict.outcome is not Outcome.SOLVED or not looked_at, (pair, verdict)
