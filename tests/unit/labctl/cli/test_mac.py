"""Every command with what macOS lacks hidden (`tests/support/mac.py`): only facts are read, those of Linux.

Hidden are also the packages that `./lab` does not install before that command.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence

import click
import pytest

from labctl.cli import cli
from labctl.config.paths import ROOT
from support.forked import run_module
from support.launcher import OWN_PROJECT
from support.ports import free_ports

_PROJECT = OWN_PROJECT["COMPOSE_PROJECT_NAME"]
_SEARCH = [ROOT / folder for folder in ("scripts", "services", "tests", ".")]
_NO_ENGINE = "error: no Docker Engine answers at unix:///nowhere"
_NOT_BEGUN = "error: no exercise is begun"
_NO_FILE = "error: there is no file /nowhere.tar"
# Good arguments for every command, and how its line on stderr begins where neither engine nor Prometheus nor Grafana
# answers: the engine is the cause of all three. The tools of those who work on the lab are other programs, which run
# the tests of other files.
_COMMANDS = {
    "up": _NO_ENGINE,
    "up sysv_mq --scale sysv_mq.consumer=2": _NO_ENGINE,
    "down": _NO_ENGINE,
    "reset": _NO_ENGINE,
    "status": _NO_ENGINE,
    "status sysv_shm": _NO_ENGINE,
    "watch": _NO_ENGINE,
    "fork": _NO_ENGINE,
    "report": _NO_ENGINE,
    "open": _NO_ENGINE,
    "load mmap_file --size 4096": _NO_ENGINE,
    "lock mmap_file off": _NO_ENGINE,
    "place tcp second_host": _NO_ENGINE,
    "logs sysv_mq": _NO_ENGINE,
    "help": "",
    "help load": "",
    "version": "",
    "mechanisms": "",
    "mechanisms --json": "",
    "mechanisms --markdown": "",
    "fault list": "",
    "fault start kill-consumer fifo": _NO_ENGINE,
    "fault status": _NO_ENGINE,
    "fault stop": _NO_ENGINE,
    "fault matrix --quick": _NO_ENGINE,
    "soak --minutes 1": _NO_ENGINE,
    "class limits": _NO_ENGINE,
    "class up 2": _NO_ENGINE,
    "class status": _NO_ENGINE,
    "class overview": f"error: there is no class {_PROJECT} of this clone",
    "class cards": f"error: there is no class {_PROJECT} of this clone",
    "class down": _NO_ENGINE,
    "bundle create /nowhere.tar": _NO_ENGINE,
    "bundle load /nowhere.tar": _NO_FILE,
    "matrix": _NO_ENGINE,
    "matrix --explain sysv_shm shared_network": _NO_ENGINE,
    "speedup --mechanism posix_mq": _NO_ENGINE,
    "hosts up": _NO_ENGINE,
    "hosts down": _NO_ENGINE,
    "swarm up": _NO_ENGINE,
    "swarm status": _NO_ENGINE,
    "swarm down": _NO_ENGINE,
    "kube render sysv_shm": "",
    "kube matrix --expected": "",
    "kube up": "error: kube up makes network namespaces of Linux, and this is Darwin",
    "kube status": f"error: {_PROJECT} has no pods",
    "kube down": "",
    "exercise list": "",
    "exercise next": "",
    "exercise progress": "",
    "exercise solution 1 --now": "",
    "exercise start 1 --yes": _NO_ENGINE,
    "exercise reset 1": _NO_ENGINE,
    "exercise check": _NOT_BEGUN,
    "exercise hint": _NOT_BEGUN,
    "exercise board": "error: /nowhere/ipclab/exercises has no progress of a student",
    "exercise cards --output /dev/null": "",
    "bench": _NO_ENGINE,
    "bench fifo --quick": _NO_ENGINE,
    "bench instrumentation": "error: bench instrumentation makes system calls of Linux, and this is Darwin",
}
_NOT_RUN = {"test", "dashboards", "doctor"}  # `doctor` asks the network; it has a test of its own


def on_a_mac(*arguments: str, engine: str = "unix:///nowhere") -> subprocess.CompletedProcess[str]:
    """`./lab ARGUMENTS` with what a Mac lacks hidden."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("LAB_", "COMPOSE_"))}
    hidden = {} if is_installed_first(arguments) else {"HIDDEN_MODULES": "jinja2,matplotlib"}
    return run_module(
        "support.mac",
        arguments,
        environment={
            **inherited,
            "DOCKER_HOST": engine,
            "XDG_STATE_HOME": "/nowhere",
            **OWN_PROJECT,
            **free_ports(),
            **hidden,
        },
        folder=ROOT,
        search=_SEARCH,
        within_s=120,
    )


def is_installed_first(arguments: Sequence[str]) -> bool:
    """Whether the launcher adds packages to `.venv` before it runs this command; asked of its own function."""
    of_launcher = re.search(r"^missing_tools\(\).*?^}", (ROOT / "lab").read_text(encoding="utf-8"), re.S | re.M)
    assert of_launcher
    script = f'is_ready() {{ return 1; }}\n{of_launcher[0]}\nmissing_tools "${{1:-}}" "${{2:-}}"'
    done = subprocess.run(["bash", "-c", script, "lab", *arguments], capture_output=True, text=True, check=True)
    return bool(done.stdout.strip())


def leaves(command: click.Command, path: str = "") -> Iterator[str]:
    """Every command that does something, as one types it; old names are hidden, and do nothing."""
    if isinstance(command, click.Group):
        for name, child in command.commands.items():
            if child.hidden:
                continue
            yield from leaves(child, f"{path} {name}".strip())
    else:
        yield path


def test_every_command_is_here() -> None:
    known = set(leaves(cli)) - _NOT_RUN
    here = {next(path for path in known if f"{text} ".startswith(f"{path} ")) for text in _COMMANDS}
    assert here == known


@pytest.mark.parametrize("text", _COMMANDS)
def test_a_command_fails_for_no_other_reason_than_on_linux(text: str) -> None:
    done = on_a_mac(*text.split())
    begins = _COMMANDS[text]
    lines = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert [line[: len(begins)] for line in lines] == ([begins] if begins else []), done.stderr
    assert done.returncode == (2 if begins in (_NOT_BEGUN, _NO_FILE) else 1 if begins else 0)
    assert bool(done.stdout) is not bool(begins)


def test_the_facts_are_those_of_linux() -> None:
    here = subprocess.run(
        [sys.executable, "-m", "labctl", "mechanisms", "--json"],
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    assert json.loads(on_a_mac("mechanisms", "--json").stdout) == json.loads(here.stdout)
