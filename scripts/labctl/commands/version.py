"""`./lab version`: what a report of a fault needs."""

from __future__ import annotations

import platform
import tomllib

from labctl.config.paths import ROOT
from labctl.engine import compose, engine
from labctl.engine.machine import this_machine
from labctl.report.conditions import revision
from labctl.terminal.errors import LabError
from labctl.terminal.printing import show_lines


def show_version() -> None:
    """Print one line each; what does not answer is said in its line."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    machine = this_machine()
    show_lines(
        [
            f"{project['name']}  {project['version']}, {revision()}",
            f"Python   {platform.python_version()}",
            f"Engine   {_engine()}",
            f"Compose  {compose.compose_version() or 'none'}",
            f"Machine  {machine.shown_name or machine.system}, {machine.architecture}",
        ]
    )


def _engine() -> str:
    try:
        answer = engine.connect(timeout_s=5).version()
    except LabError as error:
        return error.message
    return f"{engine.name_of(answer)} {answer['Version']}, {answer['Os']}/{answer['Arch']}"
