"""The nodes of the Swarm: an engine in a container as the manager, and the second host as a worker.

The engine that runs the lab joins no Swarm for it. Docker Engine 20.10 forgets the names of all running containers when
it leaves one, and those of other people's too: see docs/decisions/0022-swarm-deployment.md. A Swarm that the user made
is used as it is.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import docker
import requests
from docker.errors import DockerException, ImageNotFound
from docker.models.containers import Container as DockerContainer

from labctl.config import compose_file
from labctl.engine import compose
from labctl.hosts import image_transfer, published_responder, stdio_transport
from labctl.lab import containers
from labctl.lab.containers import Ran, read_in, run_in
from labctl.lab.lab import Lab
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.progress import say, step
from labctl.terminal.waiting import wait_until

_NETWORK = "metrics"  # of the networks of the second host, the one that no mechanism uses
_PORT = 2377  # https://docs.docker.com/engine/swarm/swarm-tutorial/#open-protocols-and-ports-between-the-hosts
_ANSWERS_WITHIN_S = 30
_JOINED_WITHIN_S = 20
_HEARTBEAT = "2s"  # Docker's default is 5 s: a lost node would be seen a quarter of a minute later


@dataclass(frozen=True)
class Manager:
    """An engine that manages a Swarm; `container` is what it runs in, None where it is the user's own Swarm."""

    client: docker.DockerClient
    container: DockerContainer | None

    def run(self, command: Sequence[str], environment: Mapping[str, str] | None = None) -> Ran:
        """Run a command in the manager's container."""
        assert self.container is not None
        return run_in(self.container, command, environment)

    def execute(self, task: DockerContainer, command: Sequence[str], environment: Mapping[str, str]) -> Ran:
        """Run a command in a task of this node."""
        if self.container is None:
            return run_in(task, command, environment)
        variables = [f"--env={name}={value}" for name, value in environment.items()]
        return self.run(["docker", "exec", *variables, str(task.id), *command])


def assemble(lab: Lab) -> tuple[Manager, str]:
    """A Swarm with at least two nodes: its manager, and the id of the manager's node.

    :raises BadInput: there is no second node, or this engine is a worker of a Swarm; nothing was changed
    :raises LabError: there is no image of the lab, the manager does not start, or the second host cannot join
    """
    client, project = lab.client, lab.project
    if users := _users_swarm(client):
        _require_image(lab)
        return users, str(client.info()["Swarm"]["NodeID"])
    second = second_host(client, project)
    if second is None:
        raise published_responder.refusal(
            project,
            "swarm up without a second node",
            hint="`docker swarm init` here, and `docker swarm join` there: docs/MANY_MACHINES.md",
        ) or BadInput(
            f"a Swarm needs a second node, and {project} has no second host",
            hint="./lab hosts up starts a second host; docs/MANY_MACHINES.md describes a second machine",
        )
    _require_image(lab)
    container = _manager_container(client, project) or _start(lab)
    manager = Manager(stdio_transport.client(stdio_transport.dial_container(str(container.id))), container)
    image_transfer.bring(client, manager.client, lab.configuration.lab_image, tagged=True)
    interface = _interface(container, project)
    if not _in_swarm(container):
        say("A Swarm of two engines in containers, swarm-manager and the second host; the lab's engine does not join")
        init = ["docker", "swarm", "init", "--advertise-addr", interface, "--data-path-addr", interface]
        _require(manager.run([*init, "--dispatcher-heartbeat", _HEARTBEAT]), "the manager cannot create a Swarm")
    if not _in_swarm(second):
        _join(manager, second, project)
    home = str(manager.client.info()["Swarm"]["NodeID"])
    with step("Waiting for the second node"):
        if not wait_until(lambda: _others(manager.client, home), _JOINED_WITHIN_S):
            raise LabError(f"no second node is ready within {_JOINED_WITHIN_S} s", hint="./lab swarm down, and again")
    return manager, home


def _require_image(lab: Lab) -> None:
    try:
        lab.client.images.get(lab.configuration.lab_image)
    except ImageNotFound as error:
        raise LabError(f"there is no image {lab.configuration.lab_image}", hint="./lab up builds it") from error


def find(client: docker.DockerClient, project: str) -> Manager | None:
    """The manager of the lab's Swarm, or else of the user's; None where there is none that answers."""
    if container := _manager_container(client, project):
        manager = Manager(stdio_transport.client(stdio_transport.dial_container(str(container.id))), container)
        try:
            return manager if is_manager(manager.client) else None
        except (DockerException, requests.RequestException, OSError):
            return None
    return Manager(client, None) if is_manager(client) else None


def names(client: docker.DockerClient) -> dict[str, str]:
    """Node id to host name, and that it is down where it is."""
    return {
        str(node.id): node.attrs["Description"]["Hostname"]
        + ("" if node.attrs["Status"]["State"] == "ready" else f" ({node.attrs['Status']['State']})")
        for node in client.nodes.list()
    }


def second_host(client: docker.DockerClient, project: str) -> DockerContainer | None:
    """The running container of `./lab hosts up`."""
    return _running(client, project, compose_file.SECOND_HOST)


def is_manager(client: docker.DockerClient) -> bool:
    """Whether this engine manages a Swarm."""
    return bool(client.info()["Swarm"]["ControlAvailable"])


def leave(second: DockerContainer) -> None:
    """Let the second host leave; its engine ends and removes the tasks that it ran."""
    if _in_swarm(second):
        run_in(second, ["docker", "swarm", "leave", "--force"])


def _users_swarm(client: docker.DockerClient) -> Manager | None:
    state = client.info()["Swarm"]
    if state["LocalNodeState"] != "active":
        return None
    if not state["ControlAvailable"]:
        raise BadInput("this engine is a worker of a Swarm", hint="run this at a manager: DOCKER_HOST, or a context")
    return Manager(client, None) if _others(client, str(state["NodeID"])) else None


def _start(lab: Lab) -> DockerContainer:
    compose.start([compose_file.SWARM_MANAGER], lab.configuration.environment(), {})
    container = _manager_container(lab.client, lab.project)
    assert container is not None
    with step("Waiting for the manager's engine"):
        if not wait_until(lambda: container.exec_run(["docker", "info"]).exit_code == 0, _ANSWERS_WITHIN_S):
            last = container.logs(tail=3).decode(errors="replace").strip().replace("\n", " | ")
            raise LabError(f"the manager's engine does not answer: {last}", hint="./lab swarm down removes it")
    return container


def _manager_container(client: docker.DockerClient, project: str) -> DockerContainer | None:
    return _running(client, project, compose_file.SWARM_MANAGER)


def _running(client: docker.DockerClient, project: str, service: str) -> DockerContainer | None:
    found = containers.of_project(client, project)
    return next((c.docker for c in found if c.service == service and c.running), None)


def _others(client: docker.DockerClient, home: str) -> bool:
    return any(node.id != home and node.attrs["Status"]["State"] == "ready" for node in client.nodes.list())


def _in_swarm(host: DockerContainer) -> bool:
    return read_in(host, ["docker", "info", "--format", "{{.Swarm.LocalNodeState}}"]).stdout.strip() == b"active"


def _join(manager: Manager, second: DockerContainer, project: str) -> None:
    """By the interface and not by its address: after a restart of the second host that may be another."""
    assert manager.container is not None
    manager.client.swarm.reload()
    token = manager.client.swarm.attrs["JoinTokens"]["Worker"]
    interface = _interface(second, project)
    join = ["docker", "swarm", "join", "--token", token, "--advertise-addr", interface]
    join += ["--listen-addr", f"{interface}:{_PORT}", f"{_endpoint(manager.container, project)['IPAddress']}:{_PORT}"]
    with step("The second host joins the Swarm"):
        _require(run_in(second, join), "the second host cannot join the Swarm")


def _require(ran: Ran, what: str) -> None:
    if ran.code:
        raise LabError(f"{what}: {ran.said}", hint="./lab swarm down, and again")


def _endpoint(host: DockerContainer, project: str) -> dict[str, Any]:
    endpoint: dict[str, Any] = host.attrs["NetworkSettings"]["Networks"][f"{project}_{_NETWORK}"]
    return endpoint


def _interface(host: DockerContainer, project: str) -> str:
    """The name that a container has for its end of the network, found by the hardware address."""
    ran = read_in(host, ["sh", "-c", f"grep -l {_endpoint(host, project)['MacAddress']} /sys/class/net/*/address"])
    if not ran.stdout:
        raise LabError(f"{host.name} shows no interface of the network {_NETWORK}", hint="./lab swarm down, and again")
    return ran.stdout.decode().split("/")[4]
