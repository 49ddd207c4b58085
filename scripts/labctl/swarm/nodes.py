"""The nodes of the Swarm: this engine as the manager, the second host as a worker; and this engine as it was before."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container as DockerContainer

from labctl.config import compose_file
from labctl.hosts import published_responder
from labctl.lab import containers
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.progress import say, step
from labctl.terminal.waiting import wait_until

# On the Swarm itself: who made it, and whether the bridge that the engine makes for it was there before.
_OWNER, _BRIDGE_WAS_THERE = "ipclab.project", "ipclab.gateway-bridge-was-there"
_BRIDGE = "docker_gwbridge"
_NETWORK = "metrics"  # of the two that the second host has, the one that no mechanism uses
_PORT = 2377  # https://docs.docker.com/engine/swarm/swarm-tutorial/#open-protocols-and-ports-between-the-hosts
_JOINED_WITHIN_S = 20
_HEARTBEAT_NS = 2_000_000_000  # Docker's default is 5 s: a lost node would be seen a quarter of a minute later


def assemble(client: docker.DockerClient, project: str) -> str:
    """A Swarm with this engine as a manager and at least one other node; the id of this engine's node.

    :raises BadInput: there is no second node, or this engine is a worker; nothing was changed
    :raises LabError: the second host cannot join
    """
    second = second_host(client, project)
    state = client.info()["Swarm"]
    active = state["LocalNodeState"] == "active"
    if active and not state["ControlAvailable"]:
        raise BadInput("this engine is a worker of a Swarm", hint="run this at a manager: DOCKER_HOST, or a context")
    home = str(state["NodeID"])
    may_join = second is not None and (not active or is_ours(client, project))
    if not may_join and not (active and _others(client, home)):
        raise published_responder.refusal(
            project,
            "swarm up without a second node",
            hint="`docker swarm init` here, and `docker swarm join` there: docs/MANY_MACHINES.md",
        ) or BadInput(
            f"a Swarm needs a second node, and {project} has "
            + ("no second host" if second is None else "another Swarm"),
            hint="./lab hosts up starts a second host here; docs/MANY_MACHINES.md has how a second machine joins",
        )
    if not active:
        assert second is not None
        gateway = _gateway(client, second, project)
        bridge = bool(client.networks.list(names=[_BRIDGE]))
        say(f"This engine becomes a Swarm manager at {gateway}, a bridge of this machine; ./lab swarm down undoes it")
        labels = {_OWNER: project, _BRIDGE_WAS_THERE: str(bridge)}
        client.swarm.init(
            gateway,
            f"{gateway}:{_PORT}",
            data_path_addr=gateway,
            labels=labels,
            dispatcher_heartbeat_period=_HEARTBEAT_NS,
        )
        home = str(client.info()["Swarm"]["NodeID"])
    if second is not None and is_ours(client, project) and not _in_swarm(second):
        _join(client, second, project)
    with step("Waiting for the second node"):
        if not wait_until(lambda: _others(client, home), _JOINED_WITHIN_S):
            raise LabError(f"no second node is ready within {_JOINED_WITHIN_S} s", hint="docker node ls; docker info")
    return home


def dissolve(client: docker.DockerClient, project: str) -> bool:
    """Leave the Swarm that `assemble` made; another's is left alone. Whether there was one of ours."""
    if not is_ours(client, project):
        return False
    second = second_host(client, project)
    if second is not None:
        second.exec_run(["docker", "swarm", "leave", "--force"])
    bridge_was_there = client.swarm.attrs["Spec"]["Labels"][_BRIDGE_WAS_THERE] == str(True)
    client.swarm.leave(force=True)
    # Seen with Engine 20.10: the engine's name resolution forgets the networks that were there before.
    say("Containers that ran meanwhile may find nobody by name now: ./lab down, then ./lab up")
    if not bridge_was_there:
        with suppress(NotFound, APIError):  # somebody uses it by now
            client.networks.get(_BRIDGE).remove()
    return True


def names(client: docker.DockerClient) -> dict[str, str]:
    """Node id to host name, and that it is down where it is."""
    return {
        str(node.id): node.attrs["Description"]["Hostname"]
        + ("" if node.attrs["Status"]["State"] == "ready" else f" ({node.attrs['Status']['State']})")
        for node in client.nodes.list()
    }


def second_host(client: docker.DockerClient, project: str) -> DockerContainer | None:
    """The running container of `./lab hosts up`."""
    found = containers.of_project(client, project)
    return next((c.docker for c in found if c.service == compose_file.SECOND_HOST and c.running), None)


def is_manager(client: docker.DockerClient) -> bool:
    """Whether this engine manages a Swarm."""
    return bool(client.info()["Swarm"]["ControlAvailable"])


def is_ours(client: docker.DockerClient, project: str) -> bool:
    """Whether `assemble` made the Swarm that this engine manages."""
    if not is_manager(client):
        return False
    client.swarm.reload()
    labels: dict[str, str] = client.swarm.attrs["Spec"]["Labels"] or {}
    return labels.get(_OWNER) == project


def _others(client: docker.DockerClient, home: str) -> bool:
    return any(node.id != home and node.attrs["Status"]["State"] == "ready" for node in client.nodes.list())


def _in_swarm(host: DockerContainer) -> bool:
    _, output = host.exec_run(["docker", "info", "--format", "{{.Swarm.LocalNodeState}}"])
    return bool(output.strip() == b"active")


def _join(client: docker.DockerClient, second: DockerContainer, project: str) -> None:
    """By the interface and not by its address: after a restart of the second host that may be another."""
    client.swarm.reload()
    token = client.swarm.attrs["JoinTokens"]["Worker"]
    interface = _interface(second, _endpoint(second, project)["MacAddress"])
    join = ["docker", "swarm", "join", "--token", token, "--advertise-addr", interface]
    join += ["--listen-addr", f"{interface}:{_PORT}", f"{_gateway(client, second, project)}:{_PORT}"]
    with step("The second host joins the Swarm"):
        code, output = second.exec_run(join)
    if code:
        said = " ".join(output.decode(errors="replace").split())[-300:]
        raise LabError(f"the second host cannot join the Swarm: {said}", hint="./lab swarm down, and again")


def _endpoint(second: DockerContainer, project: str) -> dict[str, Any]:
    endpoint: dict[str, Any] = second.attrs["NetworkSettings"]["Networks"][f"{project}_{_NETWORK}"]
    return endpoint


def _gateway(client: docker.DockerClient, second: DockerContainer, project: str) -> str:
    """This machine's address on the bridge that the second host is on. An internal network has one, and shows none."""
    network = client.networks.get(_endpoint(second, project)["NetworkID"])
    return str(network.attrs["IPAM"]["Config"][0]["Gateway"])


def _interface(second: DockerContainer, mac: str) -> str:
    script = f"grep -l {mac} /sys/class/net/*/address"
    _, output = second.exec_run(["sh", "-c", script])
    return str(output.decode().split("/")[4])
