"""`./lab hosts up --docker-host`: another machine's engine, reached by its address, and left as it was."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipclab import mechanisms
from ipclab.contract.channel import Sharing
from lab.harness import ssh_server
from lab.harness.machine import Machine, another_machine
from lab.harness.stack import Stack
from support.engine import engine_that_says

PAIRS = ("sysv_shm", "tcp")  # of the lab: see conftest.py


@pytest.fixture(scope="module")
def machine(stack: Stack) -> Iterator[Machine]:
    with another_machine(stack) as it:
        yield it


def up(stack: Stack, url: str, address: str) -> tuple[int, str]:
    done = stack.lab("hosts", "up", "--docker-host", url, "--address", address)
    return done.returncode, done.stderr


def published(stack: Stack) -> set[tuple[str, str]]:
    """The addresses of this machine that the lab's containers have ports on, and the container."""
    return {
        (binding["HostIp"], service)
        for service, container in stack.containers().items()
        for bindings in (container.attrs["NetworkSettings"]["Ports"] or {}).values()
        for binding in bindings or []
    }


@pytest.mark.timeout(120)
def test_a_host_that_will_not_do_leaves_the_lab_untouched(stack: Stack, machine: Machine) -> None:
    before, there = set(stack.leftovers()), machine.inventory()
    arm = {"Version": "26.1.5", "ApiVersion": "1.45", "Os": "linux", "Arch": "arm64"}
    with engine_that_says(arm) as other, socket.create_server((machine.here, 0)) as taken:
        port = str(taken.getsockname()[1])
        for url, address, port_of_tcp, says in (
            (other, machine.here, "9000", "has the architecture arm64"),
            (machine.url, "192.0.2.1", "9000", "Cannot assign requested address"),
            (machine.url, machine.here, port, "Address already in use"),
        ):
            command = ("hosts", "up", "--docker-host", url, "--address", address)
            refused = stack.lab(*command, LAB_TCP_PORT=port_of_tcp)
            assert refused.returncode == 2, refused.stderr
            assert len(refused.stderr.splitlines()) == 1
            assert says in refused.stderr
    assert set(stack.leftovers()) == before
    assert machine.inventory() == there


@pytest.mark.timeout(240)
def test_another_machine_is_reached_by_the_network_mechanisms_alone_and_left_as_it_was(
    stack: Stack, machine: Machine
) -> None:
    before, there, open_before = set(stack.leftovers()), machine.inventory(), published(stack)
    code, said = up(stack, machine.url, machine.here)
    try:
        assert code == 0, said
        assert f"Publishing TCP and UDP 9000 on {machine.here} for {machine.address} until ./lab hosts down" in said
        assert published(stack) - open_before == {(machine.here, "responder-published")}

        shown = stack.lab("matrix", "--json")
        assert shown.returncode == 0, shown.stderr
        cells = {c["mechanism"]: c for c in json.loads(shown.stdout)["cells"] if c["placement"] == "second_host"}
        for name in mechanisms.names():
            remote = mechanisms.load(name).traits.requires == {Sharing.NETWORK}
            assert (cells[name]["success"], cells[name]["error"]) == ((True, None) if remote else (False, "ENOENT"))
        evidence = stack.lab("matrix", "--explain", "sysv_shm", "second_host").stdout
        assert "= -1 ENOENT" in evidence
        assert re.search(r"ipc namespace +\d+ +\d+ there", evidence)

        for command in (("hosts", "up"), ("place", "tcp", "second_host"), ("swarm", "up", "tcp")):
            refused = stack.lab(*command)
            assert refused.returncode == 2, refused.stderr
            assert machine.url in refused.stderr
        again, said = up(stack, machine.url, machine.here)
        assert again == 0, said
    finally:
        down = stack.lab("hosts", "down")
    assert down.returncode == 0, down.stderr
    assert set(stack.leftovers()) == before
    assert published(stack) == open_before
    assert machine.inventory() == there


@pytest.mark.skipif(bool(ssh_server.missing()), reason=ssh_server.missing() or "-")
@pytest.mark.timeout(240)
def test_another_machine_is_reached_by_ssh(stack: Stack, machine: Machine, tmp_path: Path) -> None:
    before, there = set(stack.leftovers()), machine.inventory()
    with ssh_server.serving(machine, tmp_path) as environment:
        path = environment["PATH"]
        for url in ("ssh://other", f"ssh://root@{machine.address}:{ssh_server.PORT}"):
            try:
                done = stack.lab("hosts", "up", "--docker-host", url, "--address", machine.here, PATH=path)
                assert done.returncode == 0, done.stderr
                shown = stack.lab("matrix", "--json")
                assert shown.returncode == 0, shown.stderr
                evidence = stack.lab("matrix", "--explain", "tcp", "second_host", PATH=path)
                assert "tcp from second_host: ✓" in evidence.stdout, evidence.stderr
            finally:
                down = stack.lab("hosts", "down", PATH=path)
            assert down.returncode == 0, down.stderr
            assert set(stack.leftovers()) == before
            assert machine.inventory() == there
        (tmp_path / "user").unlink()
        refused = stack.lab("hosts", "up", "--docker-host", "ssh://other", "--address", machine.here, PATH=path)
        assert refused.returncode == 2
        assert "Permission denied" in refused.stderr
        assert len(refused.stderr.splitlines()) == 1


@pytest.mark.timeout(240)
def test_a_machine_that_has_gone_is_forgotten_here_and_told_what_to_type_there(stack: Stack, machine: Machine) -> None:
    before, there = set(stack.leftovers()), machine.inventory()
    code, said = up(stack, machine.url, machine.here)
    assert code == 0, said
    machine.container.kill()
    down = stack.lab("hosts", "down")
    machine.container.start()
    machine.wait_until_it_answers()
    assert down.returncode == 1
    assert f"docker --host {machine.url} rm --force --volumes" in down.stderr
    assert set(stack.leftovers()) == before
    hint = down.stderr.rpartition("(hint: ")[2].strip().removesuffix(")")
    for command in hint.split("; "):
        code, output = machine.container.exec_run(command.replace(f"--host {machine.url} ", "").split())
        assert code == 0, output
    assert machine.inventory() == there
