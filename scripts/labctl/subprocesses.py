"""Run a program inside a progress step: its last line is the detail, its last lines explain a failure."""

from __future__ import annotations

import os
import shlex
import subprocess
from collections import deque
from collections.abc import Mapping
from pathlib import Path

from labctl.errors import LabError
from labctl.progress import Step, say

_TAIL_SHOWN = 15
_TAIL_IN_MESSAGE = 3
_COMMAND_SHOWN = 100


def run(
    command: list[str],
    *,
    step: Step,
    hint: str,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run `command` with `environment` on top of ours, its lines shown as the step's detail; returns its output.

    Raises LabError when it cannot be started or exits non-zero: the last lines are printed, and the
    very last are in the message.
    """
    lines: list[str] = []
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise LabError(f"{_shown(command)} cannot be started: {error.strerror}", hint=hint) from error
    with process:
        try:
            assert process.stdout is not None
            for line in process.stdout:
                if line.strip():
                    lines.append(line.rstrip())
                    step.detail(line)
        except BaseException:
            process.kill()
            raise
    if process.returncode != 0:
        raise failure(command, process.returncode, lines, hint)
    return "\n".join(lines)


def failure(command: list[str], code: int, lines: list[str], hint: str) -> LabError:
    """The error for a command that failed, with the very last of its lines; the last ones are printed."""
    tail = deque(lines, _TAIL_SHOWN)
    for line in tail:
        say(f"  | {line}")
    last = " | ".join(line.strip() for line in list(tail)[-_TAIL_IN_MESSAGE:]) or "it printed nothing"
    return LabError(f"{_shown(command)} failed with exit code {code}: {last}", hint=hint)


def _shown(command: list[str]) -> str:
    text = shlex.join(command)
    return text if len(text) <= _COMMAND_SHOWN else text[: _COMMAND_SHOWN - 1] + "…"
