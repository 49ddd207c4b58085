"""The exercise of docs/ADDING_AN_EXERCISE.md is whole; tests/lab/test_exercises.py runs it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from labctl.workshop.exercise import judge, student
from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.exercise import SECTIONS
from labctl.workshop.exercise.language import Language
from labctl.workshop.exercise.recording import Recording, Replay
from labctl.workshop.exercise.verdict import Outcome
from support.exercise_of_the_guide import NAME, PAGE, write_exercise

ROOT = Path(__file__).resolve().parents[3]


def test_the_page_begins_with_all_files_of_an_exercise(tmp_path: Path) -> None:
    it = write_exercise(tmp_path)
    assert {str(file.relative_to(it.folder)) for file in it.folder.rglob("*") if file.is_file()} == {
        *("exercise.toml", "exercise.ko.toml", "README.md", "README.ko.md", "check.py", "solution/apply.sh")
    }
    for language in Language:
        assert len(it.texts(language).hints) == 3
        assert it.readme(language).read_text(encoding="utf-8").startswith(f"# {it.number}")
        for which, heading in enumerate(SECTIONS[language]):
            assert it.section(language, which), heading
    text = PAGE.read_text(encoding="utf-8")
    assert text.index("solution/apply.sh") < text.index("\n## In order")


def test_its_check_compares_what_the_producer_shows_with_the_students_value(tmp_path: Path) -> None:
    it = write_exercise(tmp_path)
    values = student.draw(it, "anna")
    question = "query max(ipc_message_size_bytes{mechanism='fifo'})"
    for size, expected in ((1024, Outcome.NOT_YET), (values["size"], Outcome.SOLVED)):
        answers = {question: [[{"labels": {}, "value": float(size)}]]}
        sees = Replay(Recording(NAME, "", 1.0, 2.0, values, {}, answers))
        verdict = judge.judge(Attempt(it, sees, values))
        assert verdict.outcome is expected
        assert verdict.measured == {"bytes": float(size)}


def test_its_check_is_typed_and_formatted(tmp_path: Path) -> None:
    file = write_exercise(tmp_path).folder / "check.py"
    config = f"--config={ROOT / 'pyproject.toml'}"
    for tool in (
        ["ruff", "check", config],
        ["ruff", "format", "--check", config],
        ["mypy", "--config-file", str(ROOT / "pyproject.toml")],
    ):
        done = subprocess.run(
            [sys.executable, "-m", *tool, str(file)], cwd=ROOT, capture_output=True, text=True, timeout=280, check=False
        )
        assert done.returncode == 0, done.stdout
