"""`./lab` before there is a .venv: what it says when the machine has no Python for it."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

_LAB = Path(__file__).parents[2] / "lab"
_TOOLS = ("bash", "env", "cat", "uname", "cksum", "dirname", "readlink", "id", "mktemp", "tail", "sed", "rm")


@pytest.fixture
def bare(tmp_path: Path) -> Path:
    """A clone on a machine with a shell and the usual tools, and no Python."""
    for name in _TOOLS:
        found = shutil.which(name)
        assert found, name
        (tmp_path / "bin").mkdir(exist_ok=True)
        (tmp_path / "bin" / name).symlink_to(found)
    clone = tmp_path / "a clone"
    clone.mkdir()
    shutil.copy(_LAB, clone / "lab")
    shutil.copy(_LAB.parent / "requirements.txt", clone)
    return clone


def _run(clone: Path, script: Path | None = None) -> subprocess.CompletedProcess[str]:
    environment = {**os.environ, "PATH": str(clone.parent / "bin")}
    command = ["bash", str(script or clone / "lab"), "up"]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False, timeout=30)


def _add_python(clone: Path, name: str, script: str) -> None:
    path = clone.parent / "bin" / name
    path.write_text(f"#!/bin/sh\n{script}\n")
    path.chmod(0o755)


def test_no_python_is_one_clear_message(bare: Path) -> None:
    result = _run(bare)
    assert result.returncode == 1
    assert "no Python 3.11 or newer" in result.stderr
    assert "hint:" in result.stderr
    assert not (bare / ".venv").exists()


def test_an_old_python_is_named(bare: Path) -> None:
    _add_python(bare, "python3", 'if [ "$1" = --version ]; then echo Python 3.9.2; else exit 1; fi')
    result = _run(bare)
    assert result.returncode == 1
    assert "python3 is: Python 3.9.2" in result.stderr


def test_it_finds_itself_through_symbolic_links(bare: Path) -> None:
    first, second = bare.parent / "first", bare.parent / "second"
    first.symlink_to("a clone/lab")
    second.symlink_to(first)
    # It gets as far as looking for a Python, and not to "requirements.txt: No such file".
    result = _run(bare, second)
    assert "no Python 3.11 or newer" in result.stderr
    assert "No such file" not in result.stderr
