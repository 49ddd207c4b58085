"""`./lab swarm down`: no task, network or volume of the stack stays, and no engine is in a Swarm for it."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.services import Service

from labctl.clusters.swarm import nodes
from labctl.clusters.swarm.nodes import Manager
from labctl.clusters.swarm.stack import STACK_LABEL, name_of, services_of
from labctl.config import compose_file
from labctl.engine import engine
from labctl.hosts import local_engine
from labctl.lab import containers
from labctl.lab.containers import PROJECT_LABEL
from labctl.terminal.printing import counted, show_lines
from labctl.terminal.progress import step
from labctl.terminal.waiting import wait_until

_ENDED_WITHIN_S = 15


def take_down(project: str) -> None:
    """Remove the stack, and the Swarm if `./lab swarm up` made it. Volumes on nodes that others made stay.

    :raises LabError: the engine does not answer
    """
    client = engine.connect()
    if not remove(client, project):
        show_lines([f"nothing to remove: {project} has no stack"])


def remove(client: docker.DockerClient, project: str) -> bool:
    """The same for `./lab down`: whether there was anything."""
    manager = nodes.find(client, project)
    counts = _remove_stack(manager, project) if manager else {}
    dissolved = _dissolve(client, project)
    if any(counts.values()):
        show_lines([f"removed the stack: {', '.join(counted(number, kind) for kind, number in counts.items())}"])
    if dissolved:
        show_lines(["removed the Swarm and its manager; the second host has left it"])
    return dissolved or any(counts.values())


def _remove_stack(manager: Manager, project: str) -> dict[str, int]:
    client = manager.client
    services = services_of(client, project)
    label = {"label": f"{STACK_LABEL}={name_of(project)}"}
    if not services and not client.networks.list(filters=label):  # a Swarm of the user, without a stack of the lab
        return {}
    with step("Removing the stack") as current:
        for name, service in services.items():
            current.detail(name)
            with suppress(NotFound):
                service.scale(0)
                # Stopped is enough to go on: it has left its networks. The engine removes it in its own time.
                wait_until(lambda s=service: not _running(client, s), _ENDED_WITHIN_S)  # type: ignore[misc]
                service.remove()
        wait_until(lambda: not client.containers.list(all=True, filters=label, sparse=True), _ENDED_WITHIN_S)
        networks, volumes = client.networks.list(filters=label), client.volumes.list(filters=label)
        for left_over in (*networks, *volumes):
            wait_until(lambda o=left_over: _removed(o), _ENDED_WITHIN_S)  # type: ignore[misc]
    return {"service": len(services), "network": len(networks), "volume": len(volumes)}


def _dissolve(client: docker.DockerClient, project: str) -> bool:
    """End the Swarm of `./lab swarm up`, in whatever state its manager is. Whether there was one."""
    found = containers.of_project(client, project)
    managers = [container for container in found if container.service == compose_file.SWARM_MANAGER]
    label = {"label": [f"{PROJECT_LABEL}={project}", f"com.docker.compose.volume={compose_file.SWARM_MANAGER}"]}
    volumes = client.volumes.list(filters=label) if managers else []
    if managers and (second := nodes.second_host(client, project)):
        with step("The second host leaves the Swarm"):
            nodes.leave(second)
            listed = f"docker volume ls --quiet --filter label={STACK_LABEL}={name_of(project)}"
            second.exec_run(["sh", "-c", f"{listed} | xargs --no-run-if-empty docker volume rm --force"])
    for container in managers:
        with step("Removing the manager"):
            local_engine.remove(client, container.docker)
    for volume in volumes:
        volume.remove(force=True)
    return bool(managers)


def _running(client: docker.DockerClient, service: Service) -> bool:
    """Whether a task of the service runs on this node."""
    label = {"label": f"com.docker.swarm.service.id={service.id}"}
    # Sparse: else each one is inspected after the listing, and one that went away in between is an error.
    return bool(client.containers.list(filters=label, sparse=True))


def _removed(resource: Any) -> bool:
    """Of a network or a volume."""
    try:
        resource.remove()
    except NotFound:
        return True
    except APIError:  # a task has not left it yet
        return False
    return True
