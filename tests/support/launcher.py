"""`./lab` as a user runs it, in a copy of the clone."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

from support.forked import run_module

REPOSITORY = Path(__file__).resolve().parents[2]


# The lab's own variables must come from the case alone.
_FOREIGN = ("LAB_", "COMPOSE_", "PYTHON_IMAGE", "PROMETHEUS_IMAGE", "GRAFANA_IMAGE", "ENGINE_IMAGE", "DOCKER_")


# A project of its own: a command on the person's lab, which may run now, holds the lock of that one.
OWN_PROJECT = {"COMPOSE_PROJECT_NAME": f"ipclabunit{os.getpid()}"}


def make_lab(folder: Path) -> Path:
    """A lab of its own in `folder`: this one's files, and a `.env` that may be spoilt."""
    for name in ("scripts", "services", "dashboards", "exercises", "compose.yaml"):
        (folder / name).symlink_to(REPOSITORY / name)
    env_file = folder / ".env"
    env_file.write_bytes((REPOSITORY / ".env").read_bytes())
    return env_file


def run_lab(folder: Path, arguments: list[str], environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """The command line of the lab in `folder`, with no engine to reach."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(_FOREIGN)}
    lab = {"DOCKER_HOST": f"unix://{folder / 'no-engine.sock'}"}
    search = [folder / "scripts", folder / "services"]
    return run_module("labctl", arguments, environment={**clean, **lab, **environment}, folder=folder, search=search)


def assert_refused(result: subprocess.CompletedProcess[str], says: list[str]) -> None:
    """One line, with everything in it that a person needs."""
    assert result.returncode == 2, result
    assert result.stdout == ""
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) == 1, result.stderr
    for words in (*says, "(hint: "):
        assert words in result.stderr
