"""`./lab exercise`: its commands, their options and their help."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import click

from labctl.cli.exercise_types import ExerciseNumber, ExistingFolder, LanguageName, NewFile
from labctl.cli.types import need_tools
from labctl.config.configuration import Configuration, project_name
from labctl.lab.project_lock import changing
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.printing import show_lines
from labctl.workshop.exercise import answers, guesses, overview, progress, student
from labctl.workshop.exercise.exercise import Exercise, find
from labctl.workshop.exercise.language import Language, phrase, usual
from labctl.workshop.exercise.progress import Progress

_HELP = "help"  # as a --guess
number_argument = click.argument("exercise", metavar="NUMBER", type=ExerciseNumber())
language_option = click.option(
    "--language", type=LanguageName(), default=usual, metavar="en|ko", help="English or Korean, else that of LANG."
)


def _begun(done: Progress, exercise: Exercise | None) -> Exercise:
    """The exercise that was named, or else the one that was started last; it must have been started.

    :raises BadInput: it was not, or none was, or the last start did not end
    """
    if exercise is None:
        name = done.latest_begun()
        if done.starting:
            begins = find(done.starting[:2]).number
            other = f"; ./lab exercise check {int(name[:2])} judges exercise {int(name[:2])}" if name else ""
            raise BadInput(
                f"exercise {begins} is not begun: its start did not end",
                hint=f"./lab exercise start {begins}{other}",
            )
        if name is None:
            raise BadInput("no exercise is begun", hint="./lab exercise start 1")
        exercise = find(name[:2])
    answers.begun_or_refuse(done, exercise)
    return exercise


def _progress(project: str) -> Progress:
    return progress.read(progress.path_of(project))


def _publish(done: Progress) -> None:
    """Let the page in the browser show it, if a lab runs: hints and solutions need none."""
    from labctl.lab.lab import Lab
    from labctl.workshop.exercise import publication

    with suppress(LabError):
        publication.publish(Lab(Configuration.load()), done)


@click.group(
    "exercise", invoke_without_command=True, short_help="Exercises that check themselves by what the lab measures."
)
@click.pass_context
def exercise_(context: click.Context) -> None:
    """Exercises that check themselves: each asks for a guess, then for a change of the lab, and judges what the lab
    measured. Without a command: what to do next.

    Progress survives ./lab down. LAB_STUDENT names the student; each student gets values of their own.

    \b
      ./lab exercise
      ./lab exercise list
      ./lab exercise start 1
      ./lab exercise check
    """
    if context.invoked_subcommand is None:
        overview.show_welcome(_progress(project_name()), usual())


@exercise_.command("list", short_help="List the exercises: number, title, minutes, state.")
@language_option
def list_(language: Language) -> None:
    """List the exercises: number, title, minutes, state. Needs no running lab.

    \b
      ./lab exercise list
      ./lab exercise list --language ko
    """
    overview.show_list(_progress(project_name()), language)


@exercise_.command(short_help="Begin an exercise: guess, then see the steps.")
@number_argument
@click.option("--yes", is_flag=True, help="Ask nothing: for scripts.")
@click.option(
    "--guess",
    "options",
    multiple=True,
    metavar="KEY=ANSWER",
    help="Answer a question of the exercise; `--guess help` lists them.",
)
@click.option("--file", type=NewFile(), metavar="FILE", help="Where you write, else ./exercise-NN.py; it may exist.")
@language_option
def start(exercise: Exercise, yes: bool, options: tuple[str, ...], file: Path | None, language: Language) -> None:
    """Begin an exercise. It asks for your guess, shows the steps with your values, and measures from now on.

    Without a terminal, or with --yes, nothing is asked. --guess help shows the keys and begins nothing.

    \b
      ./lab exercise start 1
      ./lab exercise start 1 --guess help
      ./lab exercise start 1 --yes --language ko
    """
    if _HELP in options:
        _show_guesses(exercise, "start", language)
        return
    guess = guesses.given(exercise, options, "start")
    if file and not exercise.writing:
        raise BadInput(f"--file: nothing is to be written in exercise {exercise.number}", hint="./lab exercise list")
    configuration = Configuration.load()
    done = _progress(configuration.project)

    from labctl.commands import exercise as work
    from labctl.lab.lab import Lab

    work.start(Lab(configuration), done, exercise, language, guess, _asks(yes), file)


def _show_guesses(exercise: Exercise, moment: str, language: Language) -> None:
    values = exercise.shown(student.draw(exercise, student.name()))
    texts = exercise.texts(language).questions
    questions = {key: student.filled_in(text, values) for key, text in texts.items()}
    guesses.show_possible(exercise, moment, questions, language)


def _asks(yes: bool) -> Callable[[str], str] | None:
    """How to ask the student; None for a script."""
    return None if yes or not sys.stdin.isatty() else _ask


def _ask(question: str) -> str:
    return str(click.prompt(question, default="", show_default=False))


@exercise_.command(short_help="Judge the exercise by what the lab measured.")
@click.argument("exercise", metavar="[NUMBER]", type=ExerciseNumber(), required=False)
@click.option("--yes", is_flag=True, help="Ask nothing: for scripts.")
@click.option(
    "--guess",
    "options",
    multiple=True,
    metavar="KEY=ANSWER",
    help="Answer a question that the check asks; `--guess help` lists them.",
)
@language_option
@click.option("--record", type=NewFile(), hidden=True, help="Keep what the check saw, for tests without containers.")
def check(
    exercise: Exercise | None, yes: bool, options: tuple[str, ...], language: Language, record: Path | None
) -> None:
    """Judge the exercise that was begun last, or NUMBER, by what the lab measured since its start.

    The check of a mystery asks for your findings, and shows them beside the measurement. Exit codes: 0 solved, 1 not
    yet, 3 cannot tell.

    \b
      ./lab exercise check
      ./lab exercise check 1
      ./lab exercise check 18 --guess pair=tcp --guess cause=cut --guess lost=0
    """
    configuration = Configuration.load()
    done = _progress(configuration.project)
    chosen = _begun(done, exercise)
    if _HELP in options:
        _show_guesses(chosen, "check", language)
        return
    guess = guesses.given(chosen, options, "check")

    from labctl.commands import exercise as work
    from labctl.lab.lab import Lab
    from labctl.workshop.exercise.verdict import Outcome

    title = chosen.texts(language).title
    show_lines([phrase(language, "checking", number=chosen.number, title=title)])
    try:
        outcome = work.check(Lab(configuration), done, chosen, language, guess, _asks(yes), record).outcome
    except BadInput:
        raise
    except LabError as error:  # the lab does not run, or a pair of the exercise is gone
        show_lines([phrase(language, "cannot_tell", why=error)])
        outcome = Outcome.CANNOT_TELL
    raise click.exceptions.Exit(outcome.exit_code)


@exercise_.command(short_help="Show the next of three hints.")
@click.argument("exercise", metavar="[NUMBER]", type=ExerciseNumber(), required=False)
@language_option
def hint(exercise: Exercise | None, language: Language) -> None:
    """Show the next of three hints; the third nearly tells.

    \b
      ./lab exercise hint
      ./lab exercise hint 1
    """
    done = _progress(project_name())
    answers.show_hint(done, _begun(done, exercise), language)
    _publish(done)


@exercise_.command(short_help="Show the solution, after a question.")
@number_argument
@click.option("--now", is_flag=True, help="Also before the first check, and without a question.")
@language_option
def solution(exercise: Exercise, now: bool, language: Language) -> None:
    """Show the solution, after a check was made. Asks first.

    \b
      ./lab exercise solution 1
      ./lab exercise solution 1 --now
    """
    done = _progress(project_name())
    answers.check_solution_options(done, exercise, now)
    if not now and not click.confirm(phrase(language, "show_solution", number=exercise.number)):
        return
    answers.show_solution(done, exercise, language)
    _publish(done)


@exercise_.command(short_help="End a try of an exercise, and bring its pairs back.")
@number_argument
@language_option
def reset(exercise: Exercise, language: Language) -> None:
    """Forget what was done in one exercise, and bring its pairs back to where ./lab up had them. No other is touched.

    An exercise that was solved stays solved. Its next start begins a new try, for which older results do not count.

    \b
      ./lab exercise reset 1
    """
    configuration = Configuration.load()

    from labctl.commands import exercise as work
    from labctl.lab.lab import Lab

    with changing(configuration.project, f"./lab exercise reset {exercise.number}"):
        work.reset(Lab(configuration), _progress(configuration.project), exercise, language)


@exercise_.command("next", short_help="Say what to do next.")
@language_option
def next_(language: Language) -> None:
    """Say which exercise comes next, or to check the one that is begun.

    \b
      ./lab exercise next
    """
    overview.show_next(_progress(project_name()), language)


@exercise_.command("progress", short_help="Show the progress, or write it to a file.")
@click.option("--export", type=NewFile(), metavar="FILE.json", help="Write it as JSON, for the instructor's board.")
@language_option
def progress_(export: Path | None, language: Language) -> None:
    """Show which exercises are solved, with the checks made and the hints taken.

    \b
      ./lab exercise progress
      ./lab exercise progress --export progress.json
    """
    project = project_name()
    done = _progress(project)
    if export:
        overview.export(done, project, export)
    else:
        overview.show_progress(done, language)


@exercise_.command(short_help="Show the progress of all students as a table.")
@click.argument("folder", metavar="[FOLDER]", type=ExistingFolder(), required=False)
@language_option
def board(folder: Path | None, language: Language) -> None:
    """Show how far the students are: a row for each, a column for each exercise.

    FOLDER has the files that the students exported. Without FOLDER: every lab of this machine with an exercise that was
    begun. Needs no running lab.

    \b
      ./lab exercise board room
      ./lab exercise board
    """
    from labctl.workshop.exercise.board import show_board

    show_board(folder, language)


@exercise_.command(short_help="Write a page to print for each exercise.")
@click.option(
    "--output", type=NewFile(), default="cards.html", show_default=True, metavar="FILE.html", help="The file to write."
)
@language_option
def cards(output: Path, language: Language) -> None:
    """Write one HTML file with a page for each exercise, to print: goal, guess, steps. Needs no running lab.

    \b
      ./lab exercise cards
      ./lab exercise cards --output cards.ko.html --language ko
    """
    need_tools()

    from labctl.workshop.exercise.cards import write_cards

    write_cards(output, language)
