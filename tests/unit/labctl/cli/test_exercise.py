"""`./lab exercise` as a student types it, without an engine: hints grow, progress stays, a silent lab cannot tell."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from labctl.workshop.exercise import exercise, progress
from labctl.workshop.exercise.language import Language
from labctl.workshop.exercise.progress import Progress, Record
from support.launcher import make_lab, run_lab

IT = exercise.find("1")


class Home:
    """A lab and a state directory of its own, with one exercise begun."""

    def __init__(self, folder: Path) -> None:
        make_lab(folder)
        self.folder = folder
        self.state = folder / "state"
        self.path = progress.path_of("ipclab", {"XDG_STATE_HOME": str(self.state)})
        Progress(self.path, {IT.name: Record(1000.0, "anna", {"victim": "fifo"})}).save()

    def run(self, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
        """`./lab exercise ARGUMENTS`."""
        variables = {"XDG_STATE_HOME": str(self.state), "LANG": "C.UTF-8", **environment}
        return run_lab(self.folder, ["exercise", *arguments], variables)

    def record(self) -> Record:
        """What the file has of the exercise."""
        return progress.read(self.path).records[IT.name]


@pytest.fixture
def home(tmp_path: Path) -> Home:
    """One exercise is begun."""
    return Home(tmp_path)


def test_hints_grow_to_the_third_which_stays(home: Home) -> None:
    hints = IT.texts(Language.ENGLISH).hints
    said = [home.run("hint").stdout for _ in range(4)]
    for number, hint in zip((1, 2, 3, 3), said, strict=True):
        assert hint.startswith(f"Hint {number} of 3: {hints[number - 1].replace('VICTIM', 'fifo')}")
    assert home.record().hints == 3


def test_a_lab_that_does_not_run_cannot_tell_and_counts_no_check(home: Home) -> None:
    done = home.run("check")
    assert (done.returncode, done.stderr) == (3, "")
    judged, why = done.stdout.splitlines()
    assert judged == f"exercise 1, {IT.texts(Language.ENGLISH).title}"
    assert why.startswith("cannot tell: no Docker Engine answers")
    assert home.record().checks == 0


def test_the_solution_is_shown_with_the_students_values_after_a_check_and_a_yes(home: Home) -> None:
    assert home.run("solution", "1").returncode == 2
    shown = home.run("solution", "1", "--now")
    assert shown.returncode == 0
    assert './lab place "fifo" shared_ipc' in shown.stdout
    assert "solution_2/apply.sh (also solves it)" in shown.stdout
    assert home.record().solution_shown


def test_what_was_begun_is_begun_in_the_other_language_too(home: Home) -> None:
    assert "begun" in home.run("list").stdout
    korean = home.run("list", LANG="ko_KR.UTF-8").stdout
    assert "진행 중" in korean
    assert IT.texts(Language.KOREAN).title in korean
    assert home.run("list", "--language", "ko").stdout == korean
    assert home.run("next").stdout == "When you are done: ./lab exercise check 1\n"


def test_a_newcomer_is_told_what_to_type_and_others_what_is_next(home: Home) -> None:
    begun = home.run().stdout
    assert "0 solved, 1 begun, 17 not begun" in begun
    assert "./lab exercise check 1" in begun
    home.path.unlink()
    for lang, word in (("C.UTF-8", "predict"), ("ko_KR.UTF-8", "예측")):
        welcome = home.run(LANG=lang)
        assert (welcome.returncode, welcome.stderr) == (0, "")
        assert word in welcome.stdout
        typed = re.findall(r"\./lab [a-z]+(?: [a-z0-9_]+)*", welcome.stdout)
        assert typed[:4] == [
            f"./lab up {' '.join(IT.pairs)}",
            "./lab up",
            "./lab exercise start 1",
            "./lab exercise check",
        ]


def test_the_exported_progress_has_its_schema_and_every_exercise(home: Home) -> None:
    file = home.folder / "progress.json"
    assert home.run("progress", "--export", str(file), LAB_STUDENT="anna").returncode == 0
    document = json.loads(file.read_text(encoding="utf-8"))
    assert (document["schema"], document["student"], document["project"]) == (progress.SCHEMA, "anna", "ipclab")
    assert [it["number"] for it in document["exercises"]] == [it.number for it in exercise.every()]
    assert [it["state"] for it in document["exercises"][:2]] == ["begun", "not begun"]


def test_the_keys_of_the_guesses_are_shown_before_anything_begins(home: Home) -> None:
    before = home.path.read_text(encoding="utf-8")
    shown = home.run("start", "1", "--guess", "help")
    assert (shown.returncode, shown.stderr) == (0, "")
    number, choice = shown.stdout.splitlines()
    assert number.startswith("--guess 'in_namespace=NUMBER': How many containers")
    assert choice.startswith("--guess 'arrives=yes|no': Both sides of ")
    assert "VICTIM" not in shown.stdout
    assert "asks nothing" in home.run("check", "1", "--guess", "help").stdout
    assert home.path.read_text(encoding="utf-8") == before
    assert "expected in_namespace=NUMBER, arrives=yes|no" in home.run("start", "1", "--guess", "namespace=1").stderr


def test_an_exercise_is_begun_once(home: Home) -> None:
    done = home.run("start", "1", "--yes")
    assert done.returncode == 2
    assert done.stderr.startswith("error: exercise 1 is begun already (hint: ./lab exercise check 1;")
    assert progress.read(home.path).starting is None


def test_after_a_start_that_did_not_end_no_other_exercise_is_judged_in_its_place(home: Home) -> None:
    """As Ctrl-C leaves it at a question."""
    done = progress.read(home.path)
    done.starting = exercise.find("2").name
    done.save()
    for command in ("check", "hint"):
        refused = home.run(command)
        assert (refused.returncode, refused.stdout) == (2, "")
        assert refused.stderr == (
            "error: exercise 2 is not begun: its start did not end "
            "(hint: ./lab exercise start 2; ./lab exercise check 1 judges exercise 1)\n"
        )
    assert home.run("check", "1").stdout.startswith("exercise 1, ")
    assert home.run("hint", "1").stdout.startswith("Hint 1 of 3: ")


def test_a_solved_exercise_that_is_tried_again_stays_solved_and_is_what_is_checked(home: Home) -> None:
    done = progress.read(home.path)
    done.records[IT.name].solved_at = 1010.0
    done.forget(IT.name)
    done.save()
    assert home.run("check").returncode == 2
    assert home.run("hint", "1").stderr.startswith("error: exercise 1 is not begun")
    solved = home.run("list").stdout
    assert re.search(r"^ *1 .* solved$", solved, re.M)
    assert home.run("next").stdout == "Next: ./lab exercise start 2\n"
    assert "1 solved, 0 begun, 17 not begun" in home.run().stdout
    done.records[IT.name] = Record(2000.0, "anna", {"victim": "fifo"})
    done.save()
    for command in ("list", "progress"):
        assert "solved, begun again" in home.run(command).stdout
    assert home.run("check").stdout.startswith("exercise 1, ")
    assert home.run("next").stdout == "When you are done: ./lab exercise check 1\n"
