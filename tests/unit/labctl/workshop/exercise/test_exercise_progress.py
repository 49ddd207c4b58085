"""The progress file: what was saved is read, whatever else is in it is one line, and no exercise touches another."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from labctl.lab import project_lock
from labctl.terminal.errors import LabError
from labctl.workshop.exercise import progress
from labctl.workshop.exercise.progress import SCHEMA, Progress, Record, Solved
from labctl.workshop.exercise.verdict import not_yet, solved

_CHECK = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from labctl.lab import project_lock
    from labctl.workshop.exercise import progress
    project_lock._FOLDER = Path(sys.argv[3])
    done = progress.read(Path(sys.argv[1]))
    print("read", flush=True)
    sys.stdin.readline()
    for _ in range(int(sys.argv[2])):
        with done.changing():
            done.records["01_a"].checks += 1
    """
)


@pytest.fixture(autouse=True)
def _locks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No file of a lock stays in /tmp."""
    monkeypatch.setattr(project_lock, "_FOLDER", tmp_path / "locks")
    (tmp_path / "locks").mkdir()


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


def test_what_was_solved_stays_solved_after_a_reset_and_its_results_are_forgotten(tmp_path: Path) -> None:
    """A new try begins empty, and a check of it that fails takes nothing away."""
    done = Progress(tmp_path / "a.json", {"01_a": Record(1.0, "x", checks=3, hints=2, solved_at=9.0, outcome="solved")})
    done.save()
    with done.changing():
        done.forget("01_a")
    assert (done.records, done.state_of("01_a"), done.solved_at("01_a")) == ({}, "solved", 9.0)
    assert done.latest_begun() is None
    with done.changing():
        done.records["01_a"] = Record(20.0, "x", checks=1, outcome="not yet")
    again = progress.read(done.path)
    assert (again.state_of("01_a"), again.is_tried_again("01_a"), again.latest_begun()) == ("solved", True, "01_a")
    with again.changing():
        again.forget("01_a")
    assert progress.read(done.path).solved_before == {"01_a": Solved(9.0, "x")}


def test_a_later_check_that_fails_takes_nothing_away() -> None:
    record = Record(1.0, "x")
    record.enter(solved("all of it", measured={"left": 2.0}), 5.0, "en")
    record.enter(not_yet(saw="nothing", waits_for="all of it"), 9.0, "en")
    assert (record.state, record.solved_at, record.checks, record.measured) == ("solved", 5.0, 2, {"left": 2.0})
    assert (record.outcome, record.saw, record.checked_at) == ("not yet", "nothing", 9.0)


def test_the_verdict_of_a_try_that_was_reset_during_its_check_does_not_count(tmp_path: Path) -> None:
    done = Progress(tmp_path / "a.json", {"01_a": Record(1.0, "x")})
    assert done.same_try("01_a", 1.0) is done.records["01_a"]
    for records in ({}, {"01_a": Record(2.0, "x")}):
        done.records = records
        with pytest.raises(LabError, match="exercise 1 was reset during its check"):
            done.same_try("01_a", 1.0)


def test_a_try_that_was_not_solved_leaves_nothing(tmp_path: Path) -> None:
    done = Progress(tmp_path / "a.json", {"01_a": Record(1.0, "x", checks=3)}, starting="01_a")
    done.forget("01_a")
    assert done == Progress(tmp_path / "a.json")
    assert done.state_of("01_a") == "not begun"


def test_the_changes_of_two_commands_at_once_are_all_kept(tmp_path: Path) -> None:
    """Each has read the file before the other one changes it."""
    path, times = tmp_path / "two-commands.json", 60
    Progress(path, {"01_a": Record(1.0, "x")}).save()
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    commands = [
        subprocess.Popen(
            [sys.executable, "-c", _CHECK, str(path), str(times), str(tmp_path / "locks")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=environment,
        )
        for _ in range(2)
    ]
    for command in commands:
        assert command.stdout is not None
        assert command.stdout.readline() == "read\n"
    for command in commands:
        assert command.stdin is not None
        command.stdin.write("\n")
        command.stdin.flush()
    for command in commands:
        command.communicate(timeout=120)
        assert command.returncode == 0
    assert progress.read(path).records["01_a"].checks == 2 * times


def test_a_change_that_fails_changes_nothing(tmp_path: Path) -> None:
    done = Progress(tmp_path / "a.json", {"01_a": Record(1.0, "x")})
    done.save()

    def fails() -> None:
        with done.changing():
            done.records.clear()
            raise LabError("reset during its check", hint="start")

    with pytest.raises(LabError):
        fails()
    assert list(progress.read(done.path).records) == ["01_a"]


def test_a_file_of_a_lab_that_kept_no_solved_ones_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    document = Progress(path, {"01_a": Record(1.0, "x", solved_at=2.0)}).as_json()
    path.write_text(json.dumps({name: document[name] for name in ("schema", "exercises")}))
    assert progress.read(path) == Progress(path, {"01_a": Record(1.0, "x", solved_at=2.0)})


@pytest.mark.parametrize(
    "text",
    [
        "",
        "{",
        "[]",
        '{"schema": 1}',
        '{"schema": 1, "exercises": {"01_a": {"no": 1}}}',
        '{"schema": 1, "exercises": {}, "starting": 3}',
        '{"schema": 1, "exercises": {}, "solved_before": {"01_a": 1}}',
        '{"schema": "\\u001b[2J\\n", "exercises": {}}',
        '{"schema": 1, "exercises": {"\\ud800": {"started_at": 1, "student": "x"}}}',
        '{"schema": 1, "exercises": {"01_a": {"started_at": 1, "student": "\\ud800"}}}',
        '{"schema": 1, "exercises": {"01_a": {"started_at": 1, "student": "x", "values": {"\\ud800": 1}}}}',
    ],
)
def test_a_file_that_is_no_progress_is_one_line_and_stays(tmp_path: Path, text: str) -> None:
    path = tmp_path / "ipclab.json"
    path.write_text(text)
    with pytest.raises(LabError) as failed:
        progress.read(path)
    assert str(failed.value).isprintable()
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
