"""`./lab swarm down`: no task, network or volume of the stack stays, and this engine is as it was."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.services import Service

from labctl.engine import engine
from labctl.swarm import nodes
from labctl.swarm.stack import STACK_LABEL, name_of, services_of
from labctl.terminal.printing import show_lines
from labctl.terminal.progress import step
from labctl.terminal.waiting import wait_until

_ENDED_WITHIN_S = 15


def take_down(project: str) -> None:
    """Remove the stack; leave the Swarm if `./lab swarm up` made it. Volumes on nodes that others made stay.

    :raises LabError: the engine does not answer
    """
    client = engine.connect()
    if not remove(client, project):
        show_lines([f"nothing to remove: {project} has no stack"])


def remove(client: docker.DockerClient, project: str) -> bool:
    """The same for `./lab down`: whether there was anything."""
    if not nodes.is_manager(client):
        return False
    services = services_of(client, project)
    if not services and not nodes.is_ours(client, project):
        return False
    label = {"label": f"{STACK_LABEL}={name_of(project)}"}
    with step("Removing the stack") as current:
        for name, service in services.items():
            current.detail(name)
            with suppress(NotFound):
                service.scale(0)
                # Stopped is enough to go on: it has left its networks. The engine removes it in its own time.
                wait_until(lambda s=service: not _running(client, s), _ENDED_WITHIN_S)  # type: ignore[misc]
                service.remove()
        wait_until(lambda: not client.containers.list(all=True, filters=label), _ENDED_WITHIN_S)
        networks, volumes = client.networks.list(filters=label), client.volumes.list(filters=label)
        for left_over in (*networks, *volumes):
            wait_until(lambda o=left_over: _removed(o), _ENDED_WITHIN_S)  # type: ignore[misc]
        second = nodes.second_host(client, project)
        if second is not None:
            listed = f"docker volume ls --quiet --filter label={STACK_LABEL}={name_of(project)}"
            second.exec_run(["sh", "-c", f"{listed} | xargs --no-run-if-empty docker volume rm --force"])
        left = nodes.dissolve(client, project)
    if services or networks or volumes:
        show_lines([f"removed the stack: {len(services)} services, {len(networks)} networks, {len(volumes)} volumes"])
    if left:
        show_lines(["this engine has left the Swarm"])
    return bool(services or networks or volumes or left)


def _running(client: docker.DockerClient, service: Service) -> bool:
    """Whether a task of the service runs on this node."""
    return bool(client.containers.list(filters={"label": f"com.docker.swarm.service.id={service.id}"}))


def _removed(resource: Any) -> bool:
    """Of a network or a volume."""
    try:
        resource.remove()
    except NotFound:
        return True
    except APIError:  # a task has not left it yet
        return False
    return True
