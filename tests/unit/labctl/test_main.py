"""Whatever goes wrong is one line: an error of the system, a mistake of ours, a benchmark whose lab does not start."""

from __future__ import annotations

import os
import subprocess
import sys

import click
import pytest

from labctl import main as entrance


def run(monkeypatch: pytest.MonkeyPatch, error: Exception) -> int:
    """The exit code of a command that raises this."""

    @click.group()
    def cli() -> None: ...

    @cli.command()
    def fail() -> None:
        raise error

    monkeypatch.setattr(entrance, "cli", cli)
    return entrance.main(["fail"])


def test_an_error_of_the_system_has_its_errno_and_what_it_was_about(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(monkeypatch, PermissionError(13, "Permission denied", "/etc/shadow")) == 1
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: Permission denied: /etc/shadow (EACCES) (hint: ")


def test_a_mistake_of_ours_is_one_line_that_names_the_place(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("LABCTL_TRACEBACK", raising=False)
    assert run(monkeypatch, AttributeError("two\nlines")) == 70
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("error: a mistake in the lab itself, test_main.py:")
    assert ": AttributeError: two lines (hint: LABCTL_TRACEBACK=1" in line
    monkeypatch.setenv("LABCTL_TRACEBACK", "1")
    with pytest.raises(AttributeError):
        run(monkeypatch, AttributeError("seen"))


@pytest.mark.parametrize("arguments", [["footprint"], ["footprint", "--cold"]])
def test_a_benchmark_whose_lab_does_not_start_says_why(arguments: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "bench", *arguments],
        env={**os.environ, "DOCKER_HOST": "unix:///nowhere/docker.sock"},
        capture_output=True,
        encoding="utf-8",
        timeout=120,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" not in done.stderr
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("error: "))
    assert "./lab down failed with exit code 1: error: no Docker Engine answers at unix:///nowhere" in line
