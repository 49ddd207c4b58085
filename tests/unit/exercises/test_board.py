"""The board: a row for each student, from exported files or this machine, and a line for each file that is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labctl.main import main
from labctl.workshop.exercise import board, overview, progress
from labctl.workshop.exercise.exercise import every
from labctl.workshop.exercise.progress import Progress, Record

FIRST, SECOND = (exercise.name for exercise in every()[:2])


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the progress of this machine's labs is."""
    home = tmp_path / "state"
    monkeypatch.setenv("XDG_STATE_HOME", str(home))
    return home


def exported(folder: Path, who: str, records: dict[str, Record], monkeypatch: pytest.MonkeyPatch) -> Path:
    """The file that a student hands in."""
    folder.mkdir(exist_ok=True)
    monkeypatch.setenv("LAB_STUDENT", who)
    file = folder / f"{who}.json"
    overview.export(Progress(folder / "unused", records), "lab", file)
    return file


def test_the_rows_are_those_of_the_files_and_the_furthest_is_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    room = tmp_path / "room"
    exported(room, "anna", {FIRST: Record(1.0, "anna", checks=2, hints=1)}, monkeypatch)
    exported(
        room,
        "bela",
        {FIRST: Record(1.0, "bela", solved_at=9.0, checks=3), SECOND: Record(2.0, "bela", solution_shown=True)},
        monkeypatch,
    )
    capsys.readouterr()
    assert main(["exercise", "board", str(room), "--language", "en"]) == 0
    header, _, first, second, *_ = capsys.readouterr().out.splitlines()
    assert header.split()[:2] == ["student", "lab"]
    others = ["·"] * (len(every()) - 2)
    assert first.split() == ["bela", "lab", "✓", "…", *others, "1", "3", "0", "1"]
    assert second.split() == ["anna", "lab", "…", "·", *others, "0", "2", "1", "0"]


def test_without_a_folder_the_rows_are_the_labs_of_this_machine(capsys: pytest.CaptureFixture[str]) -> None:
    for project in ("one", "two"):
        done = Progress(progress.path_of(project), {FIRST: Record(1.0, f"student of {project}", checks=1)})
        done.save()
    progress.path_of("three").write_text("nonsense", encoding="utf-8")
    assert main(["exercise", "board", "--language", "en"]) == 0
    out = capsys.readouterr().out
    assert "student of one" in out
    assert "student of two" in out
    assert str(progress.path_of("three")) in out


@pytest.mark.parametrize("student", ["a\x1b[2J", "a\nb"])
def test_a_lab_of_a_student_whose_name_no_table_can_show_is_one_line(student: str) -> None:
    for project, name in (("one", "anna"), ("two", student)):
        Progress(progress.path_of(project), {FIRST: Record(1.0, name)}).save()
    rows, refused = board.of_this_machine()
    assert [row.student for row in rows] == ["anna"]
    assert refused == ["two.json: the name of a student that no table can show"]


def test_the_name_of_a_file_cannot_move_the_cursor(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    exported(tmp_path / "room", "anna", {}, monkeypatch)
    (tmp_path / "room" / "\x1b[2J.json").write_text("{}")
    capsys.readouterr()
    assert main(["exercise", "board", str(tmp_path / "room"), "--language", "en"]) == 0
    assert "\x1b" not in capsys.readouterr().out


@pytest.mark.parametrize(
    "content",
    [
        "",
        "[]",
        "{}",
        '{"schema": 99, "student": "x", "project": "y", "exercises": []}',
        '{"schema": 1, "student": 3, "project": "y", "exercises": []}',
        '{"schema": 1, "student": "a\\u001b[31m", "project": "y", "exercises": []}',
        '{"schema": 1, "student": "x", "project": "y", "exercises": [{"name": "a", "state": "perfect"}]}',
        "\x00\x01",
        " " * ((1 << 20) + 1),
    ],
    ids=["empty", "list", "no keys", "schema", "number", "escape", "state", "binary", "huge"],
)
def test_a_file_that_is_no_progress_is_one_line_and_the_others_are_shown(
    content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    room = tmp_path / "room"
    exported(room, "anna", {}, monkeypatch)
    (room / "odd.json").write_text(content, encoding="utf-8")
    rows, refused = board.of_folder(room)
    assert [row.student for row in rows] == ["anna"]
    assert len(refused) == 1
    assert refused[0].startswith("odd.json: ")
    capsys.readouterr()
    assert main(["exercise", "board", str(room), "--language", "ko"]) == 0
    out = capsys.readouterr().out
    assert "anna" in out
    assert out.splitlines()[-1] == refused[0]


def test_a_folder_that_is_none_or_has_none_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["exercise", "board", str(tmp_path / "nothing")]) == 2
    assert main(["exercise", "board", str(tmp_path)]) == 1
    assert main(["exercise", "board"]) == 1
    errors = capsys.readouterr().err.splitlines()
    assert len(errors) == 3
    assert all("--export" in error for error in errors)


def test_an_export_says_its_schema_and_every_exercise(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = exported(tmp_path / "room", "anna", {FIRST: Record(1.0, "anna", guess={"a": 3.0})}, monkeypatch)
    document = json.loads(file.read_text(encoding="utf-8"))
    assert document["schema"] == progress.SCHEMA
    assert document["student"] == "anna"
    assert [it["number"] for it in document["exercises"]] == [exercise.number for exercise in every()]
    assert document["exercises"][0]["guess"] == {"a": 3.0}
