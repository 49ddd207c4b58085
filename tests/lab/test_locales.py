"""Every command on a running lab, in other locales and on a Mac."""

from __future__ import annotations

import subprocess
import sys

import pytest

from lab.harness.stack import ROOT, Stack

PAIRS = (
    "anonymous_pipe",
    "fifo",
    "mmap_file",
    "sysv_mq",
    "sysv_shm",
)  # of the lab: see conftest.py
_LABCTL = ["-m", "labctl"]
_MAC = [str(ROOT / "tests" / "support" / "mac.py")]
# What only shows, and what is changed by `load`, `lock` and `place` is put back by the next of them.
_SHOWING = [
    "status",
    "status sysv_mq",
    "status --kernel",
    "status --containers",
    "status --all",
    "status --json",
    "watch",
    "logs fifo",
    "fork",
    "matrix",
    "matrix --markdown",
    "matrix --explain sysv_shm shared_network",
    "mechanisms",
    "version",
    "open",
    "doctor",
]
_CHANGING = [
    "load mmap_file --size 4096",
    "load mmap_file --reset",
    "lock mmap_file off",
    "lock mmap_file --reset",
    "place mmap_file shared_network",
    "place mmap_file --back",
    "up sysv_mq --scale sysv_mq.consumer=2",
    "up sysv_mq",
]


@pytest.mark.parametrize("encoding", ["ascii", "cp949"])
@pytest.mark.parametrize("command", [*_SHOWING, *_CHANGING[:2]])
def test_in_another_locale_there_is_no_traceback(stack: Stack, command: str, encoding: str) -> None:
    done = run(stack, _LABCTL, command, PYTHONIOENCODING=encoding)
    done.stdout.decode(encoding)
    done.stderr.decode(encoding)


@pytest.mark.parametrize("command", [*_SHOWING, *_CHANGING])
def test_a_mac_can_do_it_too(stack: Stack, command: str) -> None:
    run(stack, _MAC, command)


def run(stack: Stack, program: list[str], command: str, **environment: str) -> subprocess.CompletedProcess[bytes]:
    """The command, which works; `doctor` may find fault with the machine, `open` finds no browser."""
    done = subprocess.run(
        [sys.executable, *program, *command.split()],
        env={**stack.environment, "BROWSER": "false", **environment},
        capture_output=True,
        timeout=120,
        check=False,
    )
    codes = (0, 1) if command == "doctor" else (0,)
    assert done.returncode in codes, done.stderr.decode(errors="replace")
    assert b"a mistake in the lab itself" not in done.stderr
    assert b"Traceback" not in done.stderr
    assert done.stdout
    return done
