"""`./lab down`: nothing of the lab stays, whatever state it is in.

Through the engine and by label, without Compose: it works when compose.yaml or `.env` is broken.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container as DockerContainer

from labctl.config.compose_file import SECOND_HOST, mechanism_of
from labctl.engine import engine
from labctl.hosts import nested_engine, published_responder
from labctl.lab.containers import PROJECT_LABEL, SERVICE_LABEL, listed, stop_and_remove
from labctl.swarm import down
from labctl.terminal.errors import LabError
from labctl.terminal.printing import show_lines
from labctl.terminal.progress import step


def take_down(project: str) -> list[str]:
    """Remove every container, network and volume of the project, and say how many; returns the pairs that ran.

    :raises LabError: the engine does not answer, or something cannot be removed
    """
    client = engine.connect()
    down.remove(client, project)
    label = {"label": f"{PROJECT_LABEL}={project}"}
    found = listed(client, project)
    elsewhere = _leave_other_machine(found, project)
    volumes = _volumes(client, found, label)
    networks = client.networks.list(filters=label)
    if not found and not volumes and not networks:
        show_lines([f"nothing to remove: {project} has no container, network or volume"])
        return []
    ran = {mechanism_of(c.attrs["Labels"].get(SERVICE_LABEL, "")) for c in found if c.status == "running"} - {None}
    with step(f"Removing {project}"):
        # One at a time: Docker Engine 20.10 can hang for good when containers leave a network at once.
        for container in found:
            if container.attrs["Labels"].get(SERVICE_LABEL) == SECOND_HOST:
                nested_engine.remove(client, container)
            else:
                stop_and_remove(container)
        for network in networks:
            _remove_network(network)
        for volume in volumes:
            with suppress(NotFound):  # an anonymous one went with its container
                client.api.remove_volume(volume, force=True)
    left = _left(client, project, label, volumes)
    if left:
        raise LabError(f"could not remove {', '.join(left)}", hint="docker inspect tells who still uses it")
    if elsewhere:
        raise elsewhere
    show_lines([f"removed {project}: {len(found)} containers, {len(networks)} networks, {len(volumes)} volumes"])
    return sorted(mechanism for mechanism in ran if mechanism)


def _leave_other_machine(found: list[DockerContainer], project: str) -> LabError | None:
    """Take away what `./lab hosts up --docker-host` brought to another machine; an error is for the end."""
    for container in found:
        if published_responder.HOST_LABEL in container.attrs["Labels"]:
            try:
                published_responder.leave(project, str(container.id), container.attrs["Labels"])
            except LabError as error:
                return error
    return None


def _volumes(client: docker.DockerClient, containers: list[DockerContainer], label: dict[str, str]) -> list[str]:
    """The named volumes by label, and the anonymous ones, which have none, by who mounts them."""
    named = {str(volume.name) for volume in client.volumes.list(filters=label)}
    mounted = {
        mount["Name"]
        for container in containers
        for mount in container.attrs.get("Mounts", [])
        if mount.get("Type") == "volume" and mount.get("Name")
    }
    return sorted(named | mounted)


def _remove_network(network: Any) -> None:
    """A container of another project may have joined; it stays, the network goes."""
    with suppress(NotFound):
        network.reload()
        for container_id in network.attrs.get("Containers") or {}:
            with suppress(APIError):
                network.disconnect(container_id, force=True)
        network.remove()


def _left(client: docker.DockerClient, project: str, label: dict[str, str], volumes: list[str]) -> list[str]:
    networks = client.networks.list(filters=label)
    present = {str(volume.name) for volume in client.volumes.list()}
    return [
        *(f"container {container.attrs['Names'][0].lstrip('/')}" for container in listed(client, project)),
        *(f"network {network.name}" for network in networks),
        *(f"volume {name}" for name in volumes if name in present),
    ]
