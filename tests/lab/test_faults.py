"""Each fault once on a pair: seen while it is on, over by itself, and everything as before.

A part of them by rotation, the one of today. FAULTS=all does every one, FAULTS=cut,latency these.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from lab.harness.stack import ROOT, Stack, printed, wait_until
from labctl.faults import registry
from labctl.faults.container import LABEL
from labctl.faults.fault import Fault, Scope

_PARTS = 5
_OVER_WITHIN_S = 90
# Of a container's configuration, what a fault may have changed.
_LIMITS = ("CpuQuota", "CpuPeriod", "NanoCpus", "Memory", "MemorySwap", "PidsLimit", "CpusetCpus")
_NO_QUOTA = (0, -1)  # both are "none" to the engine; 0 cannot be set


def chosen() -> list[tuple[Fault, str]]:
    """The faults of this run, each with one pair that it is for: another one on another day."""
    day = time.gmtime().tm_yday
    # A volume without a size is refused: tests/lab/test_volumes.py fills one that has a size.
    every = [f for f in registry.all_faults().values() if f.by_chance and f.name != "volume-full"]
    match os.environ.get("FAULTS", ""):
        case "":
            wanted = every[day % _PARTS :: _PARTS]
        case "all":
            wanted = every
        case names:
            wanted = [registry.fault(name) for name in names.split(",")]
    targets = {fault.name: registry.targets(fault) for fault in wanted}
    return [(f, targets[f.name][day // _PARTS % len(targets[f.name])]) for f in wanted]


def state(stack: Stack) -> dict[str, Any]:
    """What a fault must leave as it was: containers, limits, networks, names in the kernel, filters of packets."""
    found: dict[str, Any] = {}
    for service, container in stack.containers().items():
        host = container.attrs["HostConfig"]
        limits = {name: host.get(name) for name in _LIMITS}
        limits["CpuQuota"] = 0 if limits["CpuQuota"] in _NO_QUOTA else limits["CpuQuota"]
        limits["CpuPeriod"] = 0 if not limits["CpuQuota"] else limits["CpuPeriod"]
        networks = container.attrs["NetworkSettings"]["Networks"]
        found[service] = (container.status, limits, sorted(networks))
    holder = stack.container("holder")
    for folder in ("/dev/shm", "/dev/mqueue"):
        names = printed(holder, ["ls", folder]).split()
        found[folder] = sorted(name for name in names if "echo" not in name)
    return found


def on(stack: Stack) -> list[str]:
    """The faults that are on, by the engine."""
    found = stack.client.containers.list(
        all=True, filters={"label": [f"com.docker.compose.project={stack.project}", LABEL]}, ignore_removed=True
    )
    return [str(container.labels[LABEL]) for container in found]


@pytest.mark.timeout(300)
@pytest.mark.parametrize(("fault", "mechanism"), [pytest.param(*it, id=f"{it[0].name}-{it[1]}") for it in chosen()])
def test_a_fault_is_seen_ends_by_itself_and_leaves_everything_as_it_was(
    stack: Stack, fault: Fault, mechanism: str
) -> None:
    pairs = registry.targets(fault) if fault.scope is Scope.LAB else [mechanism]
    for pair in pairs:
        stack.wait_for_traffic(pair)
    before = state(stack)
    target = [] if fault.scope is Scope.LAB else [mechanism]
    started = stack.lab("fault", "start", fault.name, *target, "--for", "5s")
    assert started.returncode == 0, started.stderr
    shown = stack.lab("fault", "status", "--json")
    assert fault.name in [it["fault"] for it in json.loads(shown.stdout)["faults"]] or not on(stack)
    wait_until(f"{fault.name} is over", _OVER_WITHIN_S, lambda: not on(stack))
    for pair in pairs:
        stack.wait_for_traffic(pair, within_s=60)
    wait_until("everything is as it was", 60, lambda: state(stack) == before)
    for accounts in stack.settle_all(*pairs).values():
        assert accounts["sent"] == accounts["received"] + accounts["lost"]


@pytest.mark.timeout(200)
def test_prometheus_and_status_know_a_fault_and_reset_ends_it(stack: Stack) -> None:
    stack.wait_for_traffic("fifo")
    started = stack.lab("fault", "start", "pause-consumer", "fifo", "--for", "10m")
    assert started.returncode == 0, started.stderr
    try:
        wait_until("Prometheus has it", 60, lambda: _active(stack) == [("pause-consumer", "fifo")])
        assert "fault pause-consumer of fifo: on for another" in stack.lab("status").stdout
        again = stack.lab("fault", "start", "slow-consumer", "fifo")
        assert (again.returncode, again.stdout) == (2, "")
        assert "pause-consumer is on, which changes the consumer too" in again.stderr
    finally:
        ended = stack.lab("fault", "stop")
    assert "everything is put back" in ended.stdout
    assert on(stack) == []
    assert stack.endpoint("fifo", "consumer").status == "running"
    stack.wait_for_traffic("fifo")


@pytest.mark.timeout(200)
def test_a_fault_ends_without_its_terminal_and_without_its_keeper(stack: Stack) -> None:
    """The group of the terminal gets SIGHUP; then the keeper is killed, and the next command does its work."""
    stack.wait_for_traffic("fifo")
    command = [str(ROOT / "lab"), "fault", "start", "pause-consumer", "fifo", "--for", "3s"]
    terminal = subprocess.Popen(command, env=stack.environment, start_new_session=True, stdout=subprocess.DEVNULL)
    assert terminal.wait(120) == 0
    with suppress(ProcessLookupError):
        os.killpg(terminal.pid, signal.SIGHUP)
    wait_until("the keeper ends it", _OVER_WITHIN_S, lambda: not on(stack))
    assert stack.endpoint("fifo", "consumer").status == "running"
    assert stack.lab("fault", "start", "pause-consumer", "fifo", "--for", "10s").returncode == 0
    (container,) = stack.client.containers.list(all=True, filters={"label": LABEL, "name": stack.project})
    keeper = _keeper_of(str(container.id))
    os.kill(keeper, signal.SIGKILL)
    wait_until("its time is over", 60, lambda: "not yet put back" in stack.lab("fault", "status").stdout)
    assert stack.endpoint("fifo", "consumer").status == "paused"
    assert stack.lab("fault", "start", "dev-shm-full", "--for", "1s").returncode == 0
    wait_until("both are over", _OVER_WITHIN_S, lambda: not on(stack))
    assert stack.endpoint("fifo", "consumer").status == "running"
    stack.wait_for_traffic("fifo")


@pytest.mark.timeout(200)
def test_ctrl_c_during_the_start_leaves_nothing(stack: Stack) -> None:
    pairs = [name for name in stack.mechanisms() if name != "anonymous_pipe"]  # many, so that the start takes a while
    for pair in pairs:
        stack.wait_for_traffic(pair)
    before = state(stack)
    command = [str(ROOT / "lab"), "fault", "start", "pause-consumer", *pairs, "--for", "10m"]
    process = subprocess.Popen(
        command, env=stack.environment, start_new_session=True, stderr=subprocess.PIPE, text=True
    )
    try:
        wait_until("the first one is on", 60, lambda: on(stack))
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=120)
        assert process.returncode == 130, said
        assert "Traceback" not in said
        assert on(stack) == []
    finally:
        stack.lab("fault", "stop")
    wait_until("everything is as it was", 60, lambda: state(stack) == before)


def _active(stack: Stack) -> list[tuple[str, str]]:
    found = stack.query("ipc_fault_active == 1")
    return [(series["metric"]["fault"], series["metric"].get("mechanism", "")) for series in found]


def _keeper_of(container: str) -> int:
    """The process in the background that ends this fault."""
    for folder in Path("/proc").iterdir():
        with suppress(OSError):
            words = (folder / "cmdline").read_bytes().split(b"\0")
            if b"labctl.faults.keeper" in words and container.encode() in words:
                return int(folder.name)
    raise AssertionError(f"no keeper of {container}")
