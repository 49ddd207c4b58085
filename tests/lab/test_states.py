"""The engine and the lab in every state: two at once, two clones, what is left, `docker compose` alone, reset.

Late in the folder: it restarts and scales the pairs of all tests.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from docker.models.containers import Container

from lab.harness.stack import PROJECT, Stack, wait_until
from labctl.commands import up as start_of_lab
from labctl.config.configuration import Configuration
from labctl.config.paths import ROOT
from labctl.doctor import running_lab
from labctl.lab import anonymous_volumes, containers
from labctl.lab.lab import Lab
from labctl.terminal.errors import BadInput

_SMALL = f"{PROJECT}small"  # a lab of one pair, beside that of all tests
_BY_HAND = "by-hand"  # a container that is not the lab's
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


def findings(stack: Stack) -> str:
    """What `./lab doctor` finds of the lab, a line for each."""
    found = running_lab.of_lab(Lab(Configuration.load(environment=stack.environment)))
    return "\n".join(f"{f.what} {f.verdict}: {f.found}" for f in found)


def test_two_up_at_once_and_the_second_waits_for_the_first() -> None:
    stack = Stack(_SMALL)
    try:
        both = [
            subprocess.Popen(
                [str(ROOT / "lab"), "up", "fifo"],
                env=stack.environment,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            for _ in range(2)
        ]
        said = [process.communicate(timeout=600) for process in both]
        assert [process.returncode for process in both] == [0, 0], said
        waited = [error for _, error in said if "Waiting for ./lab up" in error]
        assert len(waited) == 1, said
        assert re.search(r"process \d+, since \d\d:\d\d:\d\d", waited[0])
        names = [network.name for network in stack.client.networks.list() if network.name.startswith(stack.project)]
        assert len(names) == len(set(names))
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
        assert f"was started from {tmp_path}" in findings(stack)
        assert stack.lab("up", "fifo").returncode == 2
        # An engine that has to be started first tells it only then.
        with pytest.raises(BadInput, match=f"was started from {tmp_path}"):
            start_of_lab.ready(Lab(replace(Configuration.load(), project=stack.project)))


def test_down_goes_on_past_what_it_cannot_remove_and_names_it() -> None:
    with small_lab(_SMALL, "fifo") as stack:
        project = stack.project
        with by_hand(stack, volumes=[f"{project}_fifo:/somewhere"], network=f"{project}_metrics"):
            assert f"not the lab's: {project}-{_BY_HAND}" in findings(stack)
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
        assert "every running container is found by name" in findings(stack)
        # It says that it is a service of compose.yaml, and the engine was never told that name.
        labels = containers.one_off_labels(stack.project, "udp-consumer", 1)
        with by_hand(stack, labels=labels, network=f"{stack.project}_metrics"):
            seen = findings(stack)
            assert f"in {stack.project}_metrics: udp-consumer" in seen
        consumer = stack.container("fifo-consumer")
        consumer.pause()
        try:
            assert "paused warn: fifo-consumer" in findings(stack)
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


def test_compose_alone_finds_what_up_did_and_changes_nothing(stack: Stack) -> None:
    stack.wait_until_healthy()  # Compose gives up at a consumer that an earlier test had paused
    before = {name: container.id for name, container in stack.containers().items()}
    up = stack.compose("up", "--detach")
    assert up.returncode == 0, up.stderr
    assert {name: container.id for name, container in stack.containers().items()} == before
    shown = stack.compose("ps", "--services").stdout.split()
    assert set(shown) == set(before)
    logs = stack.compose("logs", "--tail", "1", "fifo-consumer")
    assert (logs.returncode, "fifo-consumer" in logs.stdout) == (0, True)


def test_a_restart_of_everything_splits_nothing_and_what_is_lost_is_explained(stack: Stack) -> None:
    restart = stack.compose("restart")
    assert restart.returncode == 0, restart.stderr
    for mechanism in stack.mechanisms():
        stack.wait_for_traffic(mechanism, within_s=60)
    for mechanism, accounts in stack.settle_all(*stack.mechanisms()).items():
        assert accounts["sent"] == accounts["received"] + accounts["lost"], mechanism
    wait_until("Prometheus answers", 60, lambda: stack.lab("status", "--json").returncode == 0)
    document = json.loads(stack.lab("status", "--json").stdout)
    assert document["namespace_splits"] == []
    assert "Why messages were lost: ./lab status MECHANISM." in " ".join(stack.lab("status").stdout.split())
    shown = " ".join(stack.lab("status", "--all").stdout.split())
    for pair in document["pairs"]:
        for reason, word in (("consumer_restart", "a consumer ended"), ("producer_restart", "a producer ended")):
            if pair["lost_by_reason"].get(reason):
                assert re.search(rf"Lost when {word}[^.]* {pair['mechanism']} ", shown), pair


def test_reset_is_up_again_in_the_same_containers(stack: Stack) -> None:
    up = stack.lab("up", "sysv_mq", "--scale", "sysv_mq.consumer=2")
    assert up.returncode == 0, up.stderr
    assert stack.lab("load", "fifo", "--rate", "50").returncode == 0
    assert stack.lab("lock", "sysv_shm", "off").returncode == 0
    assert stack.lab("place", "unix_stream", "shared_network").returncode == 0
    stack.endpoint("tcp", "consumer").pause()
    stack.endpoint("udp", "producer").kill()
    cut = stack.endpoint("udp", "consumer")
    stack.client.networks.get(f"{stack.project}_udp").disconnect(cut)
    before = {name: container.id for name, container in stack.endpoints().items()}
    counted = {mechanism: stack.total(f"{mechanism}-producer", "ipc_messages_sent_total") for mechanism in ("fifo",)}

    reset = stack.lab("reset")
    assert reset.returncode == 0, reset.stderr
    for said in ("tcp-consumer was paused", "udp-producer was exited", "udp-consumer was cut", "back from"):
        assert said in reset.stderr
    after = stack.endpoints()
    assert {c.status for c in after.values()} == {"running"}
    assert {name: c.id for name, c in after.items() if not name.startswith("sysv-mq")} == {
        name: id_ for name, id_ in before.items() if not name.startswith("sysv-mq")
    }
    for mechanism, accounts in stack.settle_all(*stack.mechanisms()).items():
        assert accounts["sent"] == accounts["received"], (mechanism, accounts)
        assert accounts["lost"] == accounts["corrupt"] == accounts["duplicate"] == 0, (mechanism, accounts)
    assert stack.total("fifo-producer", "ipc_messages_sent_total") < counted["fifo"]
    document = json.loads(stack.lab("status", "--json").stdout)
    assert document["placements"] == []
    assert document["namespace_splits"] == []
    sync = {
        (name, labels["switch"]): value for name, labels, value in stack.page("sysv-shm-consumer") if "switch" in labels
    }
    assert sync["ipc_switch_on", "sync"] == 1
    rates = [value for name, _, value in stack.page("fifo-producer") if name == "ipc_load_rate"]
    assert rates == [float(Configuration.load(environment=stack.environment).values["LAB_RATE"])]
    assert sum(name.startswith("sysv-mq-consumer") for name in after) == 1
    # Compose takes the pair that was made anew for its own.
    made = {name: container.id for name, container in stack.containers().items()}
    assert stack.lab("up").returncode == 0
    assert {name: container.id for name, container in stack.containers().items()} == made


def test_the_reset_of_an_exercise_brings_members_into_the_holder_that_was_made_anew() -> None:
    """One member runs in the old namespace, one has ended: the engine starts neither in a container that is gone."""
    with small_lab(_SMALL, "sysv_mq") as stack:
        stack.endpoint("sysv_mq", "consumer").kill()
        assert stack.compose("up", "--detach", "--no-deps", "--force-recreate", "holder").returncode == 0
        reset = stack.lab("exercise", "reset", "15")
        assert reset.returncode == 0, reset.stderr
        members = [stack.container("holder"), *stack.endpoints().values()]
        spaces = {member.exec_run(["readlink", "/proc/self/ns/ipc"]).output for member in members}
        assert len(spaces) == 1, spaces
