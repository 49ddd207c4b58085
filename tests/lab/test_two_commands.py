"""Two commands on one lab: one that changes the lab waits for the one that has its lock, and names it."""

from __future__ import annotations

import os
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import click
import pytest

from lab.harness.stack import Stack
from labctl.cli import cli
from labctl.lab import state_files
from labctl.lab.project_lock import changing

PAIRS = ("fifo", "sysv_shm")  # of the lab: see conftest.py
_WAIT = {
    "up": "fifo",
    "down": "",
    "reset": "",
    "load": "fifo --rate 100",
    "lock": "sysv_shm on",
    "place": "fifo shared_network",
    "speedup": "--mechanism fifo",
    "bench": "--quick",
    "exercise start": "9",
    "exercise reset": "9",
    "fault start": "pause-consumer fifo",
    "fault stop": "",
    "fault matrix": "pause-consumer",
    "soak": "--minutes 1",
    "class up": "1",
    "class limits": "",
    "class down": "",
    "bundle create": "bundle.tar",
    "bundle load": "requirements.lock",
    "hosts up": "",
    "hosts down": "",
    "swarm up": "",
    "swarm down": "",
    "kube up": "",
    "kube down": "",
}
_CHANGE_NO_LAB = {
    *("help", "version", "doctor", "dashboards", "test", "open", "mechanisms", "sync"),
    *("status", "watch", "logs", "fork", "report", "matrix"),
    *("exercise list", "exercise next", "exercise progress", "exercise board", "exercise cards"),
    *("exercise hint", "exercise solution"),  # the progress of the student, which has a lock of its own
    "exercise check",  # waits only where it runs the student's file
    *("fault list", "fault status", "class status", "class cards", "class overview", "swarm status"),
    *("kube status", "kube matrix", "kube render"),
}
_WRITERS = 4
_WRITES = 3


def _commands(group: click.Group, *words: str) -> set[str]:
    names: set[str] = set()
    for name, command in group.commands.items():
        names |= _commands(command, *words, name) if isinstance(command, click.Group) else {" ".join((*words, name))}
    return names


def test_of_every_command_it_is_known_whether_it_waits() -> None:
    assert _commands(cli) == {*_WAIT, *_CHANGE_NO_LAB}


@pytest.mark.timeout(300)
def test_every_command_that_changes_the_lab_waits_for_the_one_that_does(stack: Stack, tmp_path: Path) -> None:
    # Nothing is known of any registry, so a command that looks for images before it has the lock asks one.
    folders = {"XDG_STATE_HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path)}
    before = {name: container.id for name, container in stack.containers().items()}
    waiting = f"Waiting for a test (process {os.getpid()}, since "
    with changing(stack.project, "a test"):
        for name, arguments in _WAIT.items():
            with stack.begun(*name.split(), *arguments.split(), **folders, LANG="C.UTF-8") as command:
                assert command.stderr is not None
                said = []
                for line in command.stderr:
                    if not line.startswith("lab: "):  # the launcher adds tools to .venv
                        said.append(line.rstrip())
                        command.send_signal(signal.SIGTERM)
            assert waiting in said[0], (name, said)
            assert said[-1].startswith("error: ended by SIGTERM"), (name, said)
            assert command.returncode == 128 + signal.SIGTERM, (name, said)
    assert {name: container.id for name, container in stack.containers().items()} == before


def test_two_commands_write_the_same_file_of_a_container_at_once(stack: Stack) -> None:
    """The progress of the exercises, for the page: the rename of the second one failed."""
    container = stack.endpoint("fifo", "consumer")

    def write(number: int) -> None:
        for _ in range(_WRITES):
            state_files.write(container, "/state", "written.json", str(number).encode())

    try:
        with ThreadPoolExecutor(_WRITERS) as pool:
            list(pool.map(write, range(_WRITERS)))
        left = [name for name in state_files.read(container, "/state") if "written.json" in name]
    finally:
        container.exec_run(["rm", "-f", "/state/written.json"])
    assert left == ["written.json"]
