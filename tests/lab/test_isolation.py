"""No pair shares less than its mechanism needs, and none shares more. That isolation is the lesson."""

from __future__ import annotations

import itertools
from typing import Any

import pytest

from ipclab import mechanisms
from ipclab.contract.channel import Sharing
from lab.harness.stack import Stack

# Everything is scraped over this network, and no mechanism uses it.
_METRICS_NETWORK = "metrics"


Attributes = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def inspected(stack: Stack) -> Attributes:
    """What Docker says of every producer and consumer."""
    return {name: container.attrs for name, container in stack.endpoints().items()}


def shared(stack: Stack, a: dict[str, Any], b: dict[str, Any]) -> set[Sharing]:
    """What two running containers have in common."""
    found = set()
    modes = [attrs["HostConfig"]["IpcMode"] for attrs in (a, b)]
    if modes[0] == modes[1] and modes[0].startswith("container:"):
        found.add(Sharing.IPC_NAMESPACE)
    volumes = [{mount["Name"] for mount in attrs["Mounts"] if mount["Type"] == "volume"} for attrs in (a, b)]
    if volumes[0] & volumes[1]:
        found.add(Sharing.VOLUME)
    networks = [set(attrs["NetworkSettings"]["Networks"]) for attrs in (a, b)]
    if (networks[0] & networks[1]) - {f"{stack.project}_{_METRICS_NETWORK}"}:
        found.add(Sharing.NETWORK)
    return found


def test_a_pair_shares_exactly_what_it_needs(stack: Stack, inspected: Attributes, mechanism: str) -> None:
    sides = (inspected[f"{mechanism.replace('_', '-')}-{side}"] for side in ("consumer", "producer"))
    assert shared(stack, *sides) == mechanisms.load(mechanism).traits.requires


def test_pairs_share_at_most_the_holders_namespace_with_each_other(stack: Stack, inspected: Attributes) -> None:
    for one, other in itertools.combinations(inspected, 2):
        if one.rpartition("-")[0] != other.rpartition("-")[0]:
            assert shared(stack, inspected[one], inspected[other]) <= {Sharing.IPC_NAMESPACE}


def test_the_kernel_agrees_about_the_ipc_namespaces(stack: Stack, inspected: Attributes) -> None:
    inodes = {name: c.exec_run(["stat", "-Lc", "%i", "/proc/self/ns/ipc"])[1] for name, c in stack.endpoints().items()}
    for one, other in itertools.combinations(inodes, 2):
        expected = Sharing.IPC_NAMESPACE in shared(stack, inspected[one], inspected[other])
        assert (inodes[one] == inodes[other]) is expected, (one, other)


def test_every_container_is_confined(stack: Stack) -> None:
    for name, container in stack.containers().items():
        config, host = container.attrs["Config"], container.attrs["HostConfig"]
        assert config["User"].split(":")[0] not in ("", "0", "root"), name
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert not host["CapAdd"], name
        assert not host["Privileged"], name
        assert any(option.startswith("no-new-privileges") for option in host["SecurityOpt"]), name
        assert host["Memory"] > 0, name
        assert host["PidsLimit"] > 0, name
        assert host["Init"], name
        assert [mount["Type"] for mount in container.attrs["Mounts"] if mount["Type"] == "bind"] == [], name
        assert not host["PidMode"], name
        for published in (host["PortBindings"] or {}).values():
            assert [binding["HostIp"] for binding in published] == ["127.0.0.1"], name


def test_the_root_cannot_be_written_and_nobody_is_root(stack: Stack) -> None:
    script = "id -u; for folder in / /opt /etc; do touch $folder/x 2>&1; done"
    for name, container in stack.endpoints().items():
        user, *refused = container.exec_run(["sh", "-c", script]).output.decode().splitlines()
        assert user == "10001", name
        assert len(refused) == 3, name
        assert all(line.endswith("Read-only file system") for line in refused), (name, refused)
