"""`./lab exercise start`, `check` and `reset`: what touches the running lab."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from docker.models.containers import Container as DockerContainer

from labctl.commands import reset as whole_reset
from labctl.commands.up import ready, start_pairs
from labctl.config import compose_file
from labctl.lab.containers import PROJECT_LABEL, stop_and_remove
from labctl.lab.lab import Lab
from labctl.lab.project_lock import changing
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.printing import show_lines, show_markdown, show_text
from labctl.workshop.exercise import guesses, judge, needs, overview, publication, script, student
from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.exercise import DO, PREDICT, SECTIONS, TAKE_HOME, WHY, Exercise
from labctl.workshop.exercise.language import Language, phrase
from labctl.workshop.exercise.live import LiveLab
from labctl.workshop.exercise.progress import Progress, Record
from labctl.workshop.exercise.recording import Recorder, Recording
from labctl.workshop.exercise.verdict import Outcome, Verdict
from labctl.workshop.student import judge as student_judge
from labctl.workshop.student import program
from labctl.workshop.student.containers import LABEL
from labctl.workshop.student.judgement import Judgement


def start(
    lab: Lab,
    done: Progress,
    exercise: Exercise,
    language: Language,
    guess: Mapping[str, str | float],
    ask: Callable[[str], str] | None,
    file: Path | None = None,
) -> None:
    """Begin an exercise: ask for the student's guess, show the steps, and remember the moment.

    :param guess: guesses that were given as options
    :param ask: asks the student a question; None for a script
    :param file: where the student writes, in a "write it yourself" exercise; None is ./exercise-NN.py
    :raises BadInput: it is begun already, or the file is no program
    :raises LabError: something that the exercise needs does not run
    """
    _not_begun_or_refuse(done, exercise)
    who = student.name()
    needs.require(lab, exercise)
    with done.changing():
        done.starting = exercise.name  # from here on the student may interrupt it
    values = student.draw(exercise, who)
    texts = exercise.texts(language)
    show_lines([phrase(language, "started", number=exercise.number, title=texts.title, minutes=exercise.minutes)])
    show_text(student.filled_in(texts.goal, values))
    _show_section(exercise, language, PREDICT, values)
    answers = dict(guess)
    if ask:
        answers |= _asked(exercise, "start", answers, values, language, ask)
    written = _put_starter(exercise, file)
    if written:
        program.read(written)  # what is no program is refused before anything begins
    with changing(lab.project, f"./lab exercise start {exercise.number}"):
        needs.require(lab, exercise)  # another command may have changed the lab while the student was asked
        record = Record(lab.prometheus.now(), who, values, answers, file=str(written) if written else None)
        _begin(lab, done, exercise, language, record)
    show_lines([phrase(language, "check", number=exercise.number)])


def _begin(lab: Lab, done: Progress, exercise: Exercise, language: Language, record: Record) -> None:
    """Remember the moment, change the lab as the exercise wants it, and show the steps."""
    values = record.values
    with done.changing():
        _not_begun_or_refuse(done, exercise)  # another command may have begun it while the student was asked
        done.records[exercise.name], done.starting = record, None
    if setup := exercise.script("setup"):
        try:
            script.run(setup, lab.project, values)
        except LabError:
            with done.changing():
                done.records.pop(exercise.name, None)
            raise
    publication.publish(lab, done)
    _show_section(exercise, language, DO, values)
    if shown := exercise.shown(values):
        words = ", ".join(f"{name.upper()} = {value}" for name, value in shown.items())
        show_lines([phrase(language, "values", values=words)])
    page = exercise.readme(language).relative_to(exercise.folder.parent.parent)
    show_lines([phrase(language, "page", page=page)])
    if exercise.writing and record.file:
        show_lines([phrase(language, "write", file=record.file, role=exercise.writing.role)])
        role, mechanism = exercise.writing.role, exercise.writing.mechanism
        student_judge.start(lab, exercise.name, role, mechanism, Path(record.file), values)


def _not_begun_or_refuse(done: Progress, exercise: Exercise) -> None:
    if record := done.records.get(exercise.name):
        number = exercise.number
        raise BadInput(
            f"exercise {number} is {record.state} already",
            hint=f"./lab exercise check {number}; ./lab exercise reset {number} begins anew",
        )


def check(
    lab: Lab,
    done: Progress,
    exercise: Exercise,
    language: Language,
    guess: Mapping[str, str | float],
    ask: Callable[[str], str] | None,
    record_to: Path | None = None,
) -> Verdict:
    """Judge what the lab measured since the start, and show it beside the guess.

    The verdict of a try that was reset meanwhile does not count.

    :param guess: answers that were given as options
    :param ask: asks the student a question; None for a script
    :param record_to: also keep what the check saw, for tests without containers
    :raises LabError: nothing can be judged
    """
    record = done.records[exercise.name]
    needs.require_pairs_exist(lab, exercise)
    needs.require_measurements(lab, exercise, record.started_at)
    answers = dict(guess)
    if ask:
        answers |= _asked(exercise, "check", {**record.guess, **answers}, record.values, language, ask)
    record.guess |= answers
    written = partial(_judged, lab, exercise, record) if exercise.writing else None
    sees = Recorder(LiveLab(lab, record.started_at, written))
    verdict = judge.judge(Attempt(exercise, sees, record.values, record.guess, language))
    if record_to:
        Recording(
            exercise.name,
            verdict.outcome,
            sees.started_at,
            sees.now,
            record.values,
            record.guess,
            sees.answers,
        ).write(record_to)
    with done.changing():
        judged = done.same_try(exercise.name, record.started_at)
        judged.guess |= answers
        judged.enter(verdict, sees.now, str(language))
    publication.publish(lab, done)
    _show_verdict(done, exercise, language, verdict)
    return verdict


def reset(lab: Lab, done: Progress, exercise: Exercise, language: Language) -> None:
    """Forget this try of the exercise, and bring its pairs back to where `./lab up` had them.

    That the exercise was solved stays.

    :raises LabError: the lab does not run, or a pair does not move afterwards
    """
    for container in started_by(lab, exercise):
        stop_and_remove(container)
    student_judge.remove(lab, exercise.name)  # the volume too
    lab.running()
    if exercise.name in done.records and (cleanup := exercise.script("cleanup")):
        script.run(cleanup, lab.project, done.records[exercise.name].values)
    if changed := _with_other_settings(lab, exercise):
        start_pairs(lab, changed, {}, ready(lab))  # the reset waits for their messages
    whole_reset.reset(lab, take_over=False, only=exercise.pairs)
    with done.changing():
        done.forget(exercise.name)
    publication.publish(lab, done)
    words = {"number": exercise.number, "pairs": ", ".join(exercise.pairs)}
    show_lines([phrase(language, "reset_solved" if done.state_of(exercise.name) == "solved" else "reset", **words)])


def _with_other_settings(lab: Lab, exercise: Exercise) -> list[str]:
    """The exercise's pairs that are missing a container, or were started with settings that are not those of now."""
    settings = lab.configuration.values
    by_service = {container.service: container for container in lab.containers()}

    def is_as_set(pair: str, service: str) -> bool:
        container = by_service.get(service)
        return container is not None and all(
            settings.get(whole_reset.setting_of(pair, name), value) == value
            for name, value in container.environment.items()
        )

    return [
        pair
        for pair in exercise.pairs
        if not all(is_as_set(pair, service) for service in compose_file.services_of(pair))
    ]


def started_by(lab: Lab, exercise: Exercise) -> list[DockerContainer]:
    """The containers that the exercise or its student started."""
    labels = [f"{PROJECT_LABEL}={lab.project}", f"{LABEL}={exercise.name}"]
    found: list[DockerContainer] = lab.client.containers.list(all=True, filters={"label": labels}, ignore_removed=True)
    return found


def _put_starter(exercise: Exercise, file: Path | None) -> Path | None:
    """Where the student writes: a copy of the starter file, or what is there already, which is never overwritten.

    :raises LabError: it cannot be made
    """
    if exercise.writing is None:
        return None
    path = (file or Path(f"exercise-{exercise.number:02}.py")).absolute()
    if not path.exists():
        try:
            shutil.copyfile(exercise.writing.starter, path)
        except OSError as error:
            raise LabError(
                f"{path} cannot be written: {error.strerror}", hint=f"./lab exercise start {exercise.number} --file F"
            ) from error
    return path


def _judged(lab: Lab, exercise: Exercise, record: Record) -> Judgement:
    """What comes of the student's file. A file that is no program is a file that does not solve it."""
    assert exercise.writing
    file = Path(record.file or "")
    role, mechanism = exercise.writing.role, exercise.writing.mechanism
    try:
        with changing(lab.project, f"./lab exercise check {exercise.number}"):
            return student_judge.judge(lab, exercise.name, role, mechanism, file, record.values)
    except BadInput as error:
        return Judgement(0, 0, 0, 0, 0, problem=error.message)


def _asked(
    exercise: Exercise,
    moment: str,
    answered: Mapping[str, str | float],
    values: Mapping[str, student.Value],
    language: Language,
    ask: Callable[[str], str],
) -> dict[str, str | float]:
    """The answers to the questions of this moment that have none."""
    unanswered = [it for it in exercise.guess if it.ask == moment and it.key not in answered]
    texts = exercise.texts(language).questions
    questions = {key: student.filled_in(question, values) for key, question in texts.items()}
    return guesses.asked(unanswered, questions, language, ask)


def _show_section(exercise: Exercise, language: Language, which: int, values: Mapping[str, student.Value]) -> None:
    text = student.filled_in(exercise.section(language, which), values)
    show_markdown(f"\n## {SECTIONS[language][which]}\n\n{text}\n")


def _show_verdict(done: Progress, exercise: Exercise, language: Language, verdict: Verdict) -> None:
    match verdict.outcome:
        case Outcome.SOLVED:
            lines = [phrase(language, "solved", saw=verdict.saw)]
        case Outcome.NOT_YET:
            lines = [
                phrase(language, "not_yet", saw=verdict.saw),
                phrase(language, "waits_for", waits_for=verdict.waits_for),
            ]
        case Outcome.CANNOT_TELL:
            lines = [phrase(language, "cannot_tell", why=verdict.saw)]
    show_lines(lines)
    record = done.records[exercise.name]
    show_lines(guesses.beside_measured(record, [question.key for question in exercise.guess], language))
    if verdict.outcome is Outcome.SOLVED:
        for which in (WHY, TAKE_HOME):
            _show_section(exercise, language, which, record.values)
        overview.show_next(done, language)
