"""The pairs on a Swarm of two engines: what crosses nodes, a node that is lost, a link that is cut and heals.

The lab beside it is the tests' own, and the same afterwards: see the end of `swarm`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import docker
import pytest

from ipclab import mechanisms
from ipclab.contract.channel import Sharing
from lab.harness.stack import Stack, printed, wait_until
from labctl.hosts import stdio_transport

_PAIRS = ("tcp", "udp", "sysv_shm", "fifo")
_SECOND = "second-host"
pytestmark = pytest.mark.timeout(300)


@dataclass
class Swarm:
    """A deployed stack."""

    stack: Stack
    deployed: str  # what `./lab swarm up` printed

    def pair(self, mechanism: str) -> dict[str, Any]:
        return next(pair for pair in self.status()["pairs"] if pair["mechanism"] == mechanism)

    def status(self) -> dict[str, Any]:
        done = self.stack.lab("swarm", "status", "--json")
        assert done.returncode == 0, done.stderr
        found: dict[str, Any] = json.loads(done.stdout)
        return found

    def wait_for_traffic(self, mechanism: str, within_s: float = 40) -> dict[str, Any]:
        before = self.pair(mechanism)["received"] or 0

        def more() -> dict[str, Any] | None:
            now = self.pair(mechanism)
            return now if now["open"] and (now["received"] or 0) > before else None

        return wait_until(f"{mechanism} moves messages between nodes", within_s, more)

    @property
    def manager(self) -> docker.DockerClient:
        """The engine that manages it."""
        return stdio_transport.client(stdio_transport.dial_container(str(self.stack.container("swarm-manager").id)))

    def worker_is(self, state: str) -> bool:
        nodes = self.manager.nodes.list(filters={"role": "worker"})
        return {node.attrs["Status"]["State"] for node in nodes} == {state}


@pytest.fixture(scope="module")
def swarm(stack: Stack) -> Iterator[Swarm]:
    """Four pairs on two engines; everything is taken away at the end, and this engine is as it was."""
    before, networks = set(stack.leftovers()), _networks(stack)
    started = _started(stack)
    refused = stack.lab("swarm", "up")
    assert refused.returncode == 2
    assert len(refused.stderr.splitlines()) == 1
    assert "a Swarm needs a second node" in refused.stderr
    try:
        hosts = stack.lab("hosts", "up", within_s=200)
        assert hosts.returncode == 0, hosts.stderr
        up = stack.lab("swarm", "up", *_PAIRS)
        assert up.returncode == 0, up.stderr
        assert _swarm_state(stack) == "inactive", "the engine of the lab joined a Swarm"
        yield Swarm(stack, up.stdout + up.stderr)
    finally:
        down = stack.lab("swarm", "down")
        inside = printed(stack.container(_SECOND), ["docker", "volume", "ls", "--quiet"])
        stack.lab("hosts", "down")
    assert down.returncode == 0, down.stderr
    assert f"{stack.project}-swarm" not in inside
    assert set(stack.leftovers()) == before
    assert _networks(stack) == networks
    # The lab goes on as before: nobody was restarted, all find each other by name, and every pair moves messages.
    assert _started(stack) == started
    assert "every running container is found by name" in " ".join(stack.lab("doctor").stdout.split())
    for mechanism in stack.mechanisms():
        stack.wait_for_traffic(mechanism)
    matrix = stack.lab("matrix", "--json")
    assert matrix.returncode == 0, matrix.stderr


def test_network_pairs_cross_nodes_and_host_bound_pairs_are_dark(swarm: Swarm) -> None:
    assert "the lab's engine does not join" in swarm.deployed
    assert "not in the stack: ipc" in swarm.deployed
    for mechanism in ("tcp", "udp"):
        pair = swarm.wait_for_traffic(mechanism)
        assert set(pair["producer_on"]).isdisjoint(pair["consumer_on"])
        assert pair["received"] <= pair["sent"], pair
    for mechanism in ("sysv_shm", "fifo"):
        pair = swarm.pair(mechanism)
        assert (pair["open"], pair["error"], pair["received"]) == (False, "ENOENT", 0), pair
        assert set(pair["producer_on"]).isdisjoint(pair["consumer_on"])


def test_the_matrix_of_a_swarm_is_what_a_network_alone_allows(swarm: Swarm) -> None:
    def measured() -> list[dict[str, Any]] | None:
        cells: list[dict[str, Any]] = swarm.status()["cells"]
        return cells if all(cell["as_predicted"] for cell in cells) else None

    cells = wait_until("every cell is what is predicted", 20, measured)
    assert {cell["mechanism"] for cell in cells} == set(mechanisms.names())
    for cell in cells:
        remote = mechanisms.load(cell["mechanism"]).traits.requires == {Sharing.NETWORK}
        here = cell["placement"] == "same_container"
        assert (cell["success"], cell["error"]) == ((True, None) if remote or here else (False, "ENOENT")), cell


def test_a_lost_node_is_seen_and_its_pairs_come_back_as_new_producers(swarm: Swarm) -> None:
    before = swarm.wait_for_traffic("tcp")["epochs"]
    second = swarm.stack.container(_SECOND)
    second.kill()
    try:
        wait_until("the node is down", 30, lambda: swarm.worker_is("down"))
        assert swarm.pair("tcp")["open"] is None
    finally:
        second.start()
    wait_until("the node is back", 60, lambda: swarm.worker_is("ready"))
    after = swarm.wait_for_traffic("tcp", within_s=60)["epochs"]
    assert set(before) < set(after)


def test_after_a_cut_two_producers_are_told_apart_by_epoch(swarm: Swarm) -> None:
    """With its constraint lifted, Swarm replaces a producer that it cannot see; the old one never stopped."""
    before = set(swarm.wait_for_traffic("tcp")["epochs"])
    service = next(s for s in swarm.manager.services.list() if s.name == f"{swarm.stack.project}-swarm_tcp-producer")
    service.update(constraints=[], fetch_current_spec=True)
    _link(swarm, "-I")
    try:
        wait_until("the node is down", 30, lambda: swarm.worker_is("down"))

        def replaced() -> set[int] | None:
            epochs = set(swarm.pair("tcp")["epochs"])
            return epochs if len(epochs) > len(before) else None

        during = wait_until("a second producer is heard", 60, replaced)
        running = printed(swarm.stack.container(_SECOND), ["docker", "ps", "--format", "{{.Names}}"])
        assert "_tcp-producer." in running  # the first one: two producers of one service, at once
    finally:
        _link(swarm, "-D")
    wait_until("the node is back", 60, lambda: swarm.worker_is("ready"))
    pair = swarm.wait_for_traffic("tcp", within_s=60)
    assert set(pair["epochs"]) >= during


def _link(swarm: Swarm, change: str) -> None:
    """Cut (-I) or mend (-D) all that the second host hears and says on the Swarm's network."""
    second = swarm.stack.container(_SECOND)
    subnet = swarm.stack.client.networks.get(f"{swarm.stack.project}_metrics").attrs["IPAM"]["Config"][0]["Subnet"]
    for chain, side in (("INPUT", "--source"), ("OUTPUT", "--destination")):
        code, output = second.exec_run(["iptables", change, chain, side, subnet, "--jump", "DROP"])
        assert code == 0, output.decode()


def _swarm_state(stack: Stack) -> str:
    return str(stack.client.info()["Swarm"]["LocalNodeState"])


def _started(stack: Stack) -> dict[str, str]:
    """When each container of the lab was started."""
    return {name: container.attrs["State"]["StartedAt"] for name, container in stack.containers().items()}


def _networks(stack: Stack) -> set[str]:
    """Those that a Swarm makes, and this lab's own: another lab on this engine has others, which come and go."""
    names = {str(network.name) for network in stack.client.networks.list()}
    return {name for name in names if name in ("ingress", "docker_gwbridge") or name.startswith(stack.project)}
