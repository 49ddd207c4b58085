"""Stopped, down, and up by Compose alone. Last in the folder: it takes the stack apart."""

from __future__ import annotations

import time

import pytest

from lab.harness.stack import PROJECT, Stack
from labctl.lab.ports import free_port


def test_every_container_stops_by_itself_within_its_grace(stack: Stack) -> None:
    containers = stack.containers()
    for name, container in containers.items():
        begin = time.monotonic()
        container.stop(timeout=3)
        took = time.monotonic() - begin
        container.reload()
        assert container.attrs["State"]["ExitCode"] != 137, f"{name} had to be killed after {took:.1f} s"


def test_status_without_a_running_lab_says_so(stack: Stack) -> None:
    status = stack.lab("status")
    assert status.returncode == 1
    assert len(status.stderr.strip().splitlines()) == 1


def test_down_leaves_nothing(stack: Stack) -> None:
    assert stack.leftovers()
    anonymous = {
        mount["Name"] for c in stack.containers().values() for mount in c.attrs["Mounts"] if mount["Type"] == "volume"
    }
    assert anonymous
    down = stack.lab("down")
    assert down.returncode == 0, down.stderr
    assert stack.leftovers() == []
    assert anonymous.isdisjoint(volume.name for volume in stack.client.volumes.list())
    assert stack.lab("down").returncode == 0


@pytest.mark.usefixtures("stack")
def test_ports_can_be_chosen() -> None:
    stack = Stack(f"{PROJECT}-4")
    stack.environment["LAB_GRAFANA_PORT"] = stack.environment["LAB_PROMETHEUS_PORT"] = str(free_port())
    refused = stack.lab("up")
    assert refused.returncode == 2
    assert "LAB_GRAFANA_PORT" in refused.stderr
    assert stack.leftovers() == []


@pytest.mark.usefixtures("stack")
@pytest.mark.timeout(300)
def test_compose_alone_runs_the_lab() -> None:
    """compose.yaml is complete without our command line; Grafana's image may be absent, so it is left out."""
    stack = Stack(f"{PROJECT}-5")
    services = [name for name in stack.compose("config", "--services").stdout.split() if name != "grafana"]
    try:
        up = stack.compose("up", "--detach", "--no-build", *services)
        assert up.returncode == 0, up.stderr
        for mechanism in stack.mechanisms():
            stack.wait_for_traffic(mechanism)
    finally:
        # `down` stops all at once, whatever COMPOSE_PARALLEL_LIMIT is: docs/decisions/0011-serial-start-and-stop.md.
        for container in stack.containers().values():
            container.stop()
        down = stack.compose("down", "--volumes")
    assert down.returncode == 0, down.stderr
    assert stack.leftovers() == []
