"""`./lab down`: the removal of the lab, in any state.

The command asks the engine by label, without Compose, so it works when compose.yaml or `.env` is broken. The last lines
name each object that could not be removed, with the engine's reason; all other objects are removed.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container as DockerContainer

from labctl.clusters.swarm import down as swarm_down
from labctl.config.compose_file import ENGINES, HOLDER, mechanism_of
from labctl.engine import engine
from labctl.faults.container import LABEL as FAULT_LABEL
from labctl.hosts import local_engine, published_responder
from labctl.lab import anonymous_volumes, clones
from labctl.lab.containers import PROJECT_LABEL, SERVICE_LABEL, listed, stop_and_remove
from labctl.terminal.errors import LabError
from labctl.terminal.printing import one_line, show_lines
from labctl.terminal.progress import step


def take_down(project: str, image: str, *, take_over: bool) -> list[str]:
    """Remove every container, network and volume of the project, and say how many; returns the pairs that ran.

    :param image: the lab's own, by whose marker volumes without a label are known
    :param take_over: also what another clone started

    :raises BadInput: another clone, which is still there, started it
    :raises LabError: the engine does not answer, or something cannot be removed; the rest is removed
    """
    client = engine.connect()
    found = newest_first(listed(client, project))
    if not take_over and any(clones.exists(folder) for folder in clones.others(found)):
        clones.require_ours(found, project, "down")
    removal = _Removal()
    removal.of("the stack of ./lab swarm up", lambda: swarm_down.remove(client, project))
    label = {"label": f"{PROJECT_LABEL}={project}"}
    for container in found:
        if published_responder.HOST_LABEL in container.attrs["Labels"]:
            removal.of("the probe on the remote second host", lambda c=container: _leave(c, project))  # type: ignore[misc]
    volumes = _volumes(client, found, label)
    networks = client.networks.list(filters=label)
    broken = [str(c.attrs["Labels"][FAULT_LABEL]) for c in found if FAULT_LABEL in c.attrs["Labels"]]
    ran = {mechanism_of(c.attrs["Labels"].get(SERVICE_LABEL, "")) for c in found if c.status == "running"} - {None}
    if found or volumes or networks:
        with step(f"Removing {project}") as current:
            # One at a time: Docker Engine 20.10 can hang for good when containers leave a network at once.
            for container in found:
                current.detail(name := _name(container))
                removal.of(f"container {name}", lambda c=container: _remove_container(client, c))  # type: ignore[misc]
            for network in networks:
                current.detail(str(network.name))
                removal.of(f"network {network.name}", lambda n=network: _remove_network(n))  # type: ignore[misc]
            for name in volumes:
                current.detail(name)
                removal.of(f"volume {name}", lambda n=name: _remove_volume(client, n))  # type: ignore[misc]
    # After the project's own: a volume that its container has just let go of is no volume that somebody left.
    left_by_compose = anonymous_volumes.abandoned(client, image)
    for name in left_by_compose:
        removal.of(f"volume {name}", lambda n=name: _remove_volume(client, n))  # type: ignore[misc]
    if broken and not removal.failures:
        show_lines([f"faults that were on went with it: {', '.join(sorted(broken))}"])
    show_lines(_summary(project, len(found), len(networks), len(volumes), len(left_by_compose), removal))
    if removal.failures:
        raise removal.error(client, project)
    return sorted(mechanism for mechanism in ran if mechanism)


def newest_first(found: list[DockerContainer]) -> list[DockerContainer]:
    """Who joined a namespace before its owner, who is older: Podman keeps a container that another one depends on."""
    return sorted(found, key=lambda c: (-c.attrs["Created"], c.attrs["Labels"].get(SERVICE_LABEL) == HOLDER))


class _Removal:
    """What could not be removed so far, with the engine's reason."""

    def __init__(self) -> None:
        self.failures: dict[str, str] = {}
        self._hints: list[str] = []

    def of(self, what: str, remove: Callable[[], object]) -> None:
        """Remove one thing; what fails is noted, and the next thing is removed all the same."""
        try:
            with suppress(NotFound):  # it went with another, or by another hand
                remove()
        except LabError as error:
            self.failures[what] = error.message
            self._hints.append(error.hint)
        except (DockerException, requests.RequestException, OSError) as error:
            self.failures[what] = one_line(error)

    def error(self, client: docker.DockerClient, project: str) -> LabError:
        """One line: what is left, why, and what to do."""
        named = "; ".join(f"{what} ({reason})" for what, reason in self.failures.items())
        users = sorted({user for what in self.failures for user in _users(client, what)})
        if users:
            hint = f"docker rm --force {' '.join(users)}, then ./lab down again"
        elif any("active endpoints" in reason for reason in self.failures.values()):
            # The endpoint of a container that is gone: only a new start of the engine forgets it.
            hint = "restart the Docker Engine (systemctl restart docker), then ./lab down again"
        else:
            hint = self._hints[0] if self._hints else "docker inspect tells more; then ./lab down again"
        return LabError(f"not everything of {project} could be removed: {named}", hint=hint)


def _summary(
    project: str, containers: int, networks: int, volumes: int, left_by_compose: int, removal: _Removal
) -> list[str]:
    kinds = {"container": containers, "network": networks, "volume": volumes + left_by_compose}
    for what in removal.failures:
        if (kind := what.split(" ")[0]) in kinds:
            kinds[kind] -= 1
    if not any(kinds.values()) and not removal.failures:
        return [f"nothing to remove: {project} has no container, network or volume"]
    lines = [f"removed {project}: " + ", ".join(f"{number} {kind}s" for kind, number in kinds.items())]
    if left_by_compose:
        lines.append(f"{left_by_compose} of these volumes had no name: `docker compose down` leaves such volumes")
    return lines


def _leave(container: DockerContainer, project: str) -> None:
    """Take away what `./lab hosts up --docker-host` brought to another machine."""
    published_responder.leave(project, str(container.id), container.attrs["Labels"])


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


def _remove_container(client: docker.DockerClient, container: DockerContainer) -> None:
    if container.attrs["Labels"].get(SERVICE_LABEL) in ENGINES:
        local_engine.remove(client, container)
    else:
        stop_and_remove(container)


def _remove_network(network: Any) -> None:
    """A container of another project may have joined; it stays, the network goes."""
    network.reload()
    for key, endpoint in (network.attrs.get("Containers") or {}).items():
        # An endpoint whose container is gone has no id, and is known by its name alone.
        member = endpoint["Name"] if key.startswith("ep-") else key
        with suppress(APIError):
            network.disconnect(member, force=True)
    network.remove()


def _remove_volume(client: docker.DockerClient, name: str) -> None:
    client.api.remove_volume(name, force=True)


def _users(client: docker.DockerClient, what: str) -> list[str]:
    """The containers that keep a volume from being removed; none for anything else."""
    kind, _, name = what.partition(" ")
    if kind != "volume":
        return []
    return [_name(c) for c in client.containers.list(all=True, filters={"volume": name}, sparse=True)]


def _name(container: DockerContainer) -> str:
    return str(container.attrs["Names"][0].lstrip("/"))
