"""A guess is asked for, may be skipped, and is asked again where it is no answer."""

from __future__ import annotations

import pytest

from labctl.terminal.errors import BadInput
from labctl.workshop.exercise import guesses
from labctl.workshop.exercise.exercise import Question
from labctl.workshop.exercise.language import Language
from labctl.workshop.exercise.progress import Record

PAIR = Question("pair", "choice", ("fifo", "tcp"))
COUNT = Question("count", "number")
WHY = Question("why", "text")
TEXTS = {"pair": "Which?", "count": "How many?", "why": "Why?"}


def test_an_answer_is_kept_an_empty_one_is_skipped_a_wrong_one_is_asked_again(
    capsys: pytest.CaptureFixture[str],
) -> None:
    said = iter(["udp", "fifo", "", "because"])
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return next(said)

    found = guesses.asked([PAIR, COUNT, WHY], TEXTS, Language.ENGLISH, ask)
    assert found == {"pair": "fifo", "why": "because"}
    assert asked == ["pair: Which? [fifo/tcp]", "pair: Which? [fifo/tcp]", "count: How many?", "why: Why?"]
    assert "invalid guess pair=udp: expected one of fifo, tcp" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("choices", "answers"),
    [
        (("yes", "no"), {"yes": "yes", "Y": "yes", "n": "no", "네": "yes", "아니요": "no"}),
        (("reached", "not reached"), {"yes": "reached", "r": "reached", "no": "not reached", "예": "reached"}),
        (("the oldest", "the most urgent", "the newest"), {"urgent": "the most urgent", "Old": "the oldest"}),
        (
            ("about the same", "2 to 5 times", "more than 5 times"),
            {"2": "2 to 5 times", "more  than": "more than 5 times"},
        ),
        (("sysv_shm", "fifo", "sysv_mq"), {"sysv_s": "sysv_shm", "f": "fifo"}),
    ],
)
def test_a_yes_a_beginning_or_a_word_of_one_answer_alone_is_that_answer(
    choices: tuple[str, ...], answers: dict[str, str]
) -> None:
    question = Question("pair", "choice", choices)
    assert {said: guesses.parsed(question, said) for said in answers} == answers
    assert {choice: guesses.parsed(question, choice) for choice in choices} == {choice: choice for choice in choices}


@pytest.mark.parametrize(
    ("choices", "said"),
    [
        (("the oldest", "the newest"), "the"),
        (("2 to 5 times", "more than 5 times"), "5"),
        (("fifo", "tcp"), "yes"),
        (("fifo", "tcp"), " "),
        (("all", "one", "none"), "x"),
    ],
)
def test_an_answer_that_may_be_two_or_none_is_refused(choices: tuple[str, ...], said: str) -> None:
    with pytest.raises(BadInput, match=f"expected one of {', '.join(choices)}"):
        guesses.parsed(Question("pair", "choice", choices), said)


@pytest.mark.parametrize("text", ["-1", "nan", "inf", "many", "1,5", ""])
def test_a_number_is_one_from_0_on(text: str) -> None:
    with pytest.raises(BadInput):
        guesses.parsed(COUNT, text)
    assert guesses.parsed(COUNT, "2.5") == 2.5


def test_a_long_text_is_refused() -> None:
    with pytest.raises(BadInput):
        guesses.parsed(WHY, "x" * 201)


@pytest.mark.parametrize("language", Language)
def test_the_guess_stands_beside_what_was_measured(language: Language) -> None:
    record = Record(0, "x", guess={"pair": "fifo", "count": 3.0}, measured={"pair": "tcp"})
    first, second, third = guesses.beside_measured(record, ["pair", "count", "why"], language)
    assert "fifo" in first
    assert "tcp" in first
    assert "3" in second
    assert "why" in third
