"""`./lab test`: the checks of the sources, then the tests."""

from __future__ import annotations

import importlib.util
import signal
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from labctl.config.paths import ROOT
from labctl.terminal.errors import LabError
from labctl.terminal.signals import Terminated

_TYPED = ("services", "scripts", "dashboards", "tests")


def run_checks(pytest_arguments: Sequence[str]) -> None:
    """Run all of them, whatever the first finds; exits with the code of the first that failed.

    :raises LabError: the tools are not installed
    """
    absent = [tool for tool in ("ruff", "importlinter", "mypy", "pytest") if importlib.util.find_spec(tool) is None]
    if absent:
        raise LabError(f"{', '.join(absent)} not installed here", hint="run it as ./lab test, which installs them")
    # Mypy refuses a folder without Python in it.
    typed = [folder for folder in _TYPED if any((ROOT / folder).rglob("*.py"))]
    codes = [
        run_tool("ruff", "check", "."),
        run_tool("ruff", "format", "--check", "--quiet", "."),
        _run([str(Path(sys.executable).with_name("lint-imports"))]),  # it has no module to run
        run_tool("mypy", *typed),
        run_tool("pytest", *pytest_arguments),
    ]
    if failed := next((code for code in codes if code), 0):
        raise click.exceptions.Exit(failed)


def run_tool(tool: str, *arguments: str) -> int:
    """Run one module of the repository or of its tools; its exit code."""
    return _run([sys.executable, "-m", tool, *arguments])


def _run(command: Sequence[str]) -> int:
    sys.stdout.flush()
    with subprocess.Popen(command, cwd=ROOT) as process:
        try:
            return process.wait()
        except KeyboardInterrupt as interrupt:
            if isinstance(interrupt, Terminated):  # Ctrl-C it hears by itself
                process.send_signal(signal.SIGINT)
            process.wait()  # tests take down what they have brought up
            raise
