"""Predict first: the questions of an exercise, and what an answer may be."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from labctl.config.values import did_you_mean, refuse, shown
from labctl.terminal.errors import BadInput
from labctl.terminal.printing import show_lines
from labctl.workshop.exercise.exercise import Exercise, Question
from labctl.workshop.exercise.language import Language, phrase
from labctl.workshop.exercise.progress import Record

_LONGEST = 200
_YES = ("yes", "예", "네")
_NO = ("no", "아니요", "아니오")


def parsed(question: Question, text: str) -> str | float:
    """A guess as it is kept.

    :raises BadInput: it is no answer to this question
    """
    what = f"guess {question.key}={shown(text)}"
    match question.kind:
        case "choice":
            if chosen := _chosen(text, question.choices):
                return chosen
            raise refuse(
                what,
                expected=f"one of {', '.join(question.choices)}",
                hint=did_you_mean(text, question.choices) or "a word of one answer alone is enough",
            )
        case "number":
            try:
                number = float(text)
            except ValueError:
                number = float("nan")
            if not 0 <= number < float("inf"):
                raise refuse(what, expected="a number from 0 on", hint="without a unit")
            return number
    if len(text) > _LONGEST:
        raise refuse(what, expected=f"at most {_LONGEST} characters", hint="a word or two")
    return text


def _chosen(text: str, choices: Sequence[str]) -> str | None:
    """The choice that is meant: by all of it, or by a beginning or a word that no other choice has; None if none is."""
    said = " ".join(text.lower().split())
    if said in choices or not said:
        return said or None
    for words, no in ((_YES, False), (_NO, True)):
        if said in words and (meant := [it for it in choices if _answers(it, choices, no=no)]):
            return meant[0]
    begun = [it for it in choices if it.startswith(said)]
    meant = begun or [it for it in choices if any(word.startswith(said) for word in it.split())]
    return meant[0] if len(meant) == 1 else None


def _answers(choice: str, choices: Sequence[str], *, no: bool) -> bool:
    """Whether a choice is the yes or the no of a question: "yes" and "no", "reached" and "not reached"."""
    if no:
        return choice == "no" or choice.removeprefix("not ") in set(choices) - {choice}
    return choice == "yes" or f"not {choice}" in choices


def possible(question: Question) -> str:
    """What an answer may be, as `--guess` takes it."""
    kinds = {"choice": "|".join(question.choices), "number": "NUMBER", "text": "TEXT"}
    return f"{question.key}={kinds[question.kind]}"


def show_possible(exercise: Exercise, moment: str, questions: Mapping[str, str], language: Language) -> None:
    """The keys of a moment's questions, what an answer may be, and what is asked.

    :param questions: the texts, with the student's values
    """
    found = [it for it in exercise.guess if it.ask == moment]
    lines = [f"--guess '{possible(it)}': {questions[it.key]}" for it in found]
    show_lines(lines or [phrase(language, "asks_nothing", number=exercise.number)])


def given(exercise: Exercise, options: Iterable[str], moment: str) -> dict[str, str | float]:
    """The guesses of `--guess KEY=ANSWER`.

    :param moment: one of `ASKED`: a guess comes before its measurement
    :raises BadInput: one is none, or answers a question of another moment
    """
    by_key = {question.key: question for question in exercise.guess if question.ask == moment}
    found: dict[str, str | float] = {}
    for option in options:
        key, equals, text = option.partition("=")
        if not equals or key not in by_key:
            known = ", ".join(map(possible, by_key.values())) or f"none: the {moment} of this exercise asks nothing"
            raise refuse(
                f"--guess {shown(option)}",
                expected=known,
                hint=f"./lab exercise {moment} {exercise.number} asks for them",
            )
        found[key] = parsed(by_key[key], text)
    return found


def asked(
    questions: Sequence[Question], texts: Mapping[str, str], language: Language, ask: Callable[[str], str]
) -> dict[str, str | float]:
    """The student's answers; an empty one skips the question, a wrong one is asked again."""
    found: dict[str, str | float] = {}
    if questions:
        show_lines([phrase(language, "skip")])
    for question in questions:
        among = f" [{'/'.join(question.choices)}]" if question.choices else ""
        while answer := ask(f"{question.key}: {texts[question.key]}{among}").strip():
            try:
                found[question.key] = parsed(question, answer)
                break
            except BadInput as error:
                show_lines([str(error)])
    return found


def beside_measured(record: Record, keys: Iterable[str], language: Language) -> list[str]:
    """A line for each question: the guess and what was measured."""
    return [
        phrase(
            language,
            "guess",
            key=key,
            guess=_shown(record.guess[key]) if key in record.guess else phrase(language, "no_guess"),
            measured=_shown(record.measured[key]) if key in record.measured else phrase(language, "not_measured"),
        )
        for key in keys
    ]


def _shown(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:,.10g}"
