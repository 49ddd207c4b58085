"""The progress file: what was saved is read, whatever else is in it is one line, and no exercise touches another."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from labctl.terminal.errors import LabError
from labctl.workshop.exercise import progress
from labctl.workshop.exercise.progress import SCHEMA, Progress, Record


def test_what_was_saved_is_read_again(tmp_path: Path) -> None:
    path = tmp_path / "state" / "ipclab.json"
    done = Progress(path, {"01_a": Record(1.5, "김 민수", {"rate": 3}, {"n": 2.0}, hints=2, solved_at=9.0)})
    done.save()
    assert progress.read(path) == done
    assert [file.name for file in path.parent.iterdir()] == ["ipclab.json"]
    assert json.loads(path.read_text(encoding="utf-8"))["schema"] == SCHEMA


def test_without_a_file_nothing_is_begun(tmp_path: Path) -> None:
    done = progress.read(tmp_path / "none.json")
    assert done.state_of("01_a") == "not begun"
    assert done.latest_begun() is None


def test_the_latest_is_the_one_begun_last_and_not_solved(tmp_path: Path) -> None:
    records = {"01_a": Record(1, "x"), "02_b": Record(2, "x"), "03_c": Record(3, "x", solved_at=4)}
    assert Progress(tmp_path, records).latest_begun() == "02_b"
    solved = {name: Record(it.started_at, "x", solved_at=9) for name, it in records.items()}
    assert Progress(tmp_path, solved).latest_begun() == "03_c"


@pytest.mark.parametrize("text", ["", "{", "[]", '{"schema": 1}', '{"schema": 1, "exercises": {"01_a": {"no": 1}}}'])
def test_a_file_that_is_no_progress_is_one_line_and_stays(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ipclab.json"
    path.write_text(text)
    with pytest.raises(LabError) as failed:
        progress.read(path)
    assert "\n" not in str(failed.value)
    assert str(path) in str(failed.value)
    assert path.read_text() == text


def test_a_file_of_another_version_says_so(tmp_path: Path) -> None:
    path = tmp_path / "ipclab.json"
    path.write_text(json.dumps({"schema": SCHEMA + 1, "exercises": {}}))
    with pytest.raises(LabError, match=f"schema {SCHEMA + 1}, expected {SCHEMA}"):
        progress.read(path)


def test_each_project_has_its_own_file_in_the_state_directory(tmp_path: Path) -> None:
    assert progress.path_of("a", {"XDG_STATE_HOME": str(tmp_path)}) == tmp_path / "ipclab" / "exercises" / "a.json"
    assert progress.path_of("a", {}) == Path.home() / ".local" / "state" / "ipclab" / "exercises" / "a.json"


def test_a_folder_that_cannot_be_made_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(LabError, match="cannot be written"):
        Progress(tmp_path / "file" / "b.json").save()
