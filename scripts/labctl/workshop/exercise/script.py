"""Run a script of an exercise, such as the one that breaks a pair for a mystery. What it prints stays unseen."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

from labctl.config.paths import ROOT
from labctl.lab.project_lock import on_our_behalf
from labctl.terminal.errors import LabError
from labctl.terminal.printing import one_line
from labctl.workshop.exercise.student import Value

_WITHIN_S = 120


def run(script: Path, project: str, values: Mapping[str, Value]) -> None:
    """Run it in the folder of the lab, each value of the student as EX_NAME. The caller has the lock of the lab.

    :raises LabError: it fails, or takes too long
    """
    variables = {f"EX_{name.upper()}": str(value) for name, value in values.items()}
    try:
        done = subprocess.run(
            ["bash", str(script)],
            cwd=ROOT,
            env={**os.environ, "COMPOSE_PROJECT_NAME": project, **on_our_behalf(), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            encoding="utf-8",
            errors="replace",
            timeout=_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise LabError(f"{script.relative_to(ROOT)} failed: {one_line(error)}", hint="./lab status") from error
    if done.returncode:
        last = one_line(done.stderr.strip().splitlines()[-1] if done.stderr.strip() else "no message")
        raise LabError(f"{script.relative_to(ROOT)} exited with {done.returncode}: {last}", hint="./lab status")
