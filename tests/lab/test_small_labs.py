"""Labs of few pairs, and what can be in their way: a second `up`, a second clone, others' objects, a sick consumer."""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import Container

from lab.harness.stack import DAY, PROJECT, Stack, printed, wait_until
from labctl.commands import up as start_of_lab
from labctl.config.configuration import Configuration
from labctl.config.paths import ROOT
from labctl.lab import anonymous_volumes, containers
from labctl.lab.containers import freeze
from labctl.lab.lab import Lab
from labctl.terminal.errors import BadInput

_SMALL = f"{PROJECT}small"
_BY_HAND = "by-hand"  # a container that is not the lab's
_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGKILL)
_LINES_OF_UP = 8  # of progress, on a machine where everything is built
pytestmark = pytest.mark.timeout(900)


@contextmanager
def small_lab(project: str, *mechanisms: str) -> Iterator[Stack]:
    """A lab of few pairs; nothing of it is left."""
    stack = Stack(project)
    try:
        up = stack.lab("up", *mechanisms)
        assert up.returncode == 0, up.stderr
        yield stack
    finally:
        stack.lab("down", "--take-over")
    assert stack.leftovers() == []


@contextmanager
def by_hand(stack: Stack, **options: Any) -> Iterator[None]:
    """A container of somebody else's beside the lab."""
    image = stack.container("fifo-consumer").image.id
    container = stack.client.containers.run(
        image, ["60"], entrypoint=["sleep"], name=f"{stack.project}-{_BY_HAND}", detach=True, **options
    )
    try:
        yield
    finally:
        container.remove(v=True, force=True)


def another_clone(folder: Path, stack: Stack, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The command line of a second clone, on the same project."""
    if not (folder / "compose.yaml").exists():
        for name in ("scripts", "services", "dashboards", "exercises", "compose.yaml", ".env"):
            (folder / name).symlink_to(ROOT / name)
    path = os.pathsep.join(str(folder / name) for name in ("scripts", "services"))
    return subprocess.run(
        [sys.executable, "-m", "labctl", *arguments],
        env={**stack.environment, "PYTHONPATH": path},
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )


def test_two_up_at_once_and_the_second_waits_for_the_first_and_down_for_a_load() -> None:
    stack = Stack(_SMALL)
    try:
        both = [stack.begun("up", "fifo") for _ in range(2)]
        said = [process.communicate(timeout=600) for process in both]
        assert [process.returncode for process in both] == [0, 0], said
        waited = [error for _, error in said if "Waiting for ./lab up" in error]
        assert len(waited) == 1, said
        assert re.search(r"process \d+, since \d\d:\d\d:\d\d", waited[0])
        names = [network.name for network in stack.client.networks.list() if network.name.startswith(stack.project)]
        assert len(names) == len(set(names))
        with stack.begun("load", "fifo", "--rate", "100") as load:
            assert load.stderr is not None
            assert "Changing the load" in load.stderr.readline()
            down = stack.lab("down")
            rest = load.communicate(timeout=60)[1]
        assert (load.returncode, down.returncode) == (0, 0), (rest, down.stderr)
        assert f"Waiting for ./lab load (process {load.pid}, since " in down.stderr
    finally:
        stack.lab("down")
    assert stack.leftovers() == []


def test_a_second_clone_is_refused_with_both_folders_named_unless_it_takes_over(tmp_path: Path) -> None:
    with small_lab(_SMALL, "fifo") as stack:
        before = stack.container("fifo-consumer").id
        for command in (["up", "fifo"], ["reset"], ["down"]):
            refused = another_clone(tmp_path, stack, *command)
            assert refused.returncode == 2, refused
            (line,) = refused.stderr.splitlines()
            assert str(tmp_path) in line
            assert str(ROOT) in line
            assert "--take-over" in line
        assert stack.container("fifo-consumer").id == before
        taken = another_clone(tmp_path, stack, "up", "fifo", "--take-over")
        assert taken.returncode == 0, taken.stderr
        assert f"was started from {tmp_path}" in stack.findings()
        assert stack.lab("up", "fifo").returncode == 2
        # An engine that has to be started first tells it only then.
        with pytest.raises(BadInput, match=f"was started from {tmp_path}"):
            start_of_lab.ready(Lab(replace(Configuration.load(), project=stack.project)))


def test_down_goes_on_past_what_it_cannot_remove_and_names_it() -> None:
    with small_lab(_SMALL, "fifo") as stack:
        project = stack.project
        with by_hand(stack, volumes=[f"{project}_fifo:/somewhere"], network=f"{project}_metrics"):
            assert f"not the lab's: {project}-{_BY_HAND}" in stack.findings()
            down = stack.lab("down")
            assert down.returncode == 1
            error = down.stderr.splitlines()[-1]
            assert f"volume {project}_fifo" in error
            assert f"docker rm --force {project}-{_BY_HAND}" in error
            assert stack.leftovers() == [f"{project}_fifo"]
        again = stack.lab("down")
        assert again.returncode == 0, again.stderr


def test_down_finds_the_volumes_without_a_name_that_compose_left() -> None:
    image = f"ipclab/lab:{Configuration.load().values['LAB_IMAGE_TAG']}"
    with small_lab(_SMALL, "fifo") as stack:
        nameless = {
            mount["Name"]
            for name in ("fifo-consumer", "fifo-producer")
            for mount in stack.container(name).attrs["Mounts"]
            if mount["Destination"] == "/state"
        }
        foreign = stack.client.volumes.create()  # as nameless, and not the lab's
        try:
            assert stack.compose("down").returncode == 0
            assert nameless <= set(anonymous_volumes.abandoned(stack.client, image))
            down = stack.lab("down")
            assert down.returncode == 0, down.stderr
            left = {volume.name for volume in stack.client.volumes.list()}
            assert not nameless & left
            assert foreign.name in left
        finally:
            foreign.remove()


def test_doctor_sees_what_is_paused_and_names_that_nobody_answers_to() -> None:
    with small_lab(_SMALL, "fifo") as stack:
        assert "every running container is found by name" in stack.findings()
        # It says that it is a service of compose.yaml, and the engine was never told that name.
        labels = containers.one_off_labels(stack.project, "udp-consumer", 1)
        with by_hand(stack, labels=labels, network=f"{stack.project}_metrics"):
            seen = stack.findings()
            assert f"in {stack.project}_metrics: udp-consumer" in seen
        consumer = stack.container("fifo-consumer")
        freeze(consumer)
        try:
            assert "paused warn: fifo-consumer" in stack.findings()
        finally:
            consumer.unpause()


def test_up_goes_on_when_a_consumer_recovers_and_names_one_that_does_not(tmp_path: Path) -> None:
    """Compose gives up at an unhealthy consumer, and has started no producer by then."""
    with small_lab(_SMALL, "fifo") as stack:
        stack.container("fifo-producer").remove(v=True, force=True)
        consumer = stack.container("fifo-consumer")
        _signal_all(consumer, "STOP")
        wait_until("it is unhealthy", 40, lambda: stack.container("fifo-consumer").health == "unhealthy")
        given_up = stack.lab("up", "fifo")
        assert given_up.returncode == 1
        error = given_up.stderr.splitlines()[-1]
        assert "fifo has no healthy consumer" in error
        assert "fifo-consumer is running, unhealthy" in error
        said = tmp_path / "said"
        with said.open("w") as errors:
            up = subprocess.Popen(
                [str(ROOT / "lab"), "up", "fifo"], env=stack.environment, stdout=subprocess.DEVNULL, stderr=errors
            )
            try:
                wait_until("Compose gives up", 60, lambda: "  | " in said.read_text())
                _signal_all(consumer, "CONT")
                assert up.wait(timeout=120) == 0, said.read_text()
            finally:
                up.kill()
                up.wait()
        assert "the consumers are healthy now: retrying" in said.read_text()


def _signal_all(container: Container, name: str) -> None:
    """To every process of a container but its init: kill(2), pid -1."""
    done = container.exec_run(["sh", "-c", f"kill -s {name} -- -1"])
    assert done.exit_code == 0, done.output.decode()


def test_the_reset_of_an_exercise_brings_members_into_the_holder_that_was_made_anew() -> None:
    """One member runs in the old namespace, one has ended: the engine starts neither in a container that is gone."""
    with small_lab(_SMALL, "sysv_mq") as stack:
        stack.endpoint("sysv_mq", "consumer").kill()
        assert stack.compose("up", "--detach", "--no-deps", "--force-recreate", "holder").returncode == 0
        gone = "IPC namespace bad: of a container that is gone.*sysv-mq-consumer.*-producer"
        assert re.search(gone, stack.findings())
        reset = stack.lab("exercise", "reset", "15")
        assert reset.returncode == 0, reset.stderr
        members = [stack.container("holder"), *stack.endpoints().values()]
        spaces = {printed(member, ["readlink", "/proc/self/ns/ipc"]) for member in members}
        assert len(spaces) == 1, spaces


def _interrupted(lab: Stack, *pairs: str) -> str:
    """`./lab up` that got a signal after some lines of progress, as the day draws them. What it said, for a message."""
    drawn = random.Random(DAY)
    number, after_lines = drawn.choice(_SIGNALS), drawn.randint(1, _LINES_OF_UP)
    sys.stdout.write(f"{number.name} after line {after_lines}; LAB_TEST_DAY={DAY} repeats it\n")
    with subprocess.Popen(
        [str(ROOT / "lab"), "up", *pairs],
        env=lab.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a terminal sends Ctrl-C to every process of the foreground
    ) as up:
        assert up.stderr is not None
        said = []
        for line in up.stderr:
            said.append(line.rstrip())
            if len(said) == after_lines:
                os.killpg(up.pid, number)
        code = up.wait(timeout=120)
    told = f"{number.name} after line {after_lines}: {code}, {said}"
    assert not any("Traceback" in line for line in said), told
    if number is not signal.SIGKILL and code:  # 0: it was over before
        assert code == 128 + number, told
        assert said[-1].startswith("error: "), told
    return told


@pytest.mark.usefixtures("stack")
def test_a_second_lab_with_some_pairs_runs_beside_the_first_after_an_up_that_was_interrupted() -> None:
    second = Stack(f"{PROJECT}-2")
    wanted = ("fifo", "mmap_file", "tcp")
    try:
        second.environment["LAB_WAIT"] = "spin"  # of what leaves a choice
        interrupted = _interrupted(second, *wanted)
        up = second.lab("up", *wanted)
        assert up.returncode == 0, f"{interrupted}; then {up.stderr}"
        assert {container.status for container in second.containers().values()} == {"running"}, interrupted
        assert second.mechanisms() == list(wanted)
        assert "sysv" not in up.stdout
        pairs = json.loads(second.lab("status", "--json").stdout)["pairs"]
        assert [pair["wait"] for pair in pairs] == ["block", "spin", "block"]
        before = second.containers()["fifo-producer"].id
        # A port that somebody else has: refused, and what runs goes on.
        taken = Stack(f"{PROJECT}-3")
        taken.environment["LAB_PROMETHEUS_PORT"] = str(second.prometheus_port)
        refused = taken.lab("up", "fifo")
        assert refused.returncode == 2
        assert str(second.prometheus_port) in refused.stderr
        assert taken.leftovers() == []
        assert second.containers()["fifo-producer"].id == before
    finally:
        down = second.lab("down")
    assert down.returncode == 0, down.stderr
    assert second.leftovers() == []
