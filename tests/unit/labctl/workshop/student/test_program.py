"""The student's file, before anything runs: what is no program is refused in one line."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.terminal.errors import BadInput
from labctl.workshop.student import program


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("exercise-08.py", b"def f(:\n", "line 1 does not parse: invalid syntax"),
        ("exercise-08.py", b"print('\xff')\n", "does not parse"),
        ("exercise-08.py", b"x = 1\0\n", "does not parse"),
        ("exercise-08.py", b"(" * 300, "does not parse"),
        ("exercise-08.py", b"#" * (program.MOST_BYTES + 1), "4,194,305 bytes: expected a file of at most 4,194,304"),
        ("notes.txt", b"print(1)\n", "is no program: expected NAME.py, a Linux executable or a #! script"),
    ],
)
def test_what_is_no_program_is_refused(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadInput) as refused:
        program.read(path)
    assert reason in str(refused.value)
    assert "\n" not in str(refused.value)


def test_a_file_that_is_not_there_or_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="cannot be read: No such file or directory"):
        program.read(tmp_path / "no.py")
    with pytest.raises(BadInput, match="no regular file"):
        program.read(tmp_path)


def test_a_python_file_is_run_by_python_and_any_other_as_it_is(tmp_path: Path) -> None:
    files = {"exercise-08.py": b"pass\n", "sender": b"\x7fELF\x02", "script": b"#!/bin/sh\n"}
    for name, content in files.items():
        (tmp_path / name).write_bytes(content)
    assert program.read(tmp_path / "exercise-08.py").command == ["python", "/state/exercise-08.py"]
    assert program.read(tmp_path / "sender").command == ["/state/sender"]
    assert program.read(tmp_path / "script").command == ["/state/script"]
    assert program.read(tmp_path / "script").content == b"#!/bin/sh\n"
