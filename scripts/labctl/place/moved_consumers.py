"""The consumers that `./lab place` moved, found by their label on both engines, and the placements that a pair allows.

The placements are facts of the mechanisms and need no Docker.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import docker
import requests
from docker.errors import DockerException
from docker.models.containers import Container as DockerContainer

from ipclab import mechanisms
from ipclab.matrix.placement import SHARED, Placement, reachable
from labctl.config import compose_file
from labctl.hosts import stdio_transport
from labctl.lab.containers import PROJECT_LABEL, Container
from labctl.terminal.errors import LabError
from labctl.terminal.printing import one_line

LABEL = "ipclab.placement"
MECHANISM_LABEL = "ipclab.mechanism"


@dataclass(frozen=True)
class Placed:
    """One consumer that is not where compose.yaml has it."""

    docker: DockerContainer
    mechanism: str
    placement: Placement
    state: str


def labels(project: str, mechanism: str, placement: Placement) -> dict[str, str]:
    """The labels by which it is found again."""
    return {PROJECT_LABEL: project, LABEL: str(placement), MECHANISM_LABEL: mechanism}


def service_of(mechanism: str) -> str:
    """What takes the place of a Compose service's name; no endpoint's service is called so."""
    return f"{mechanism.replace('_', '-')}-placed"


def second_engine(found: Sequence[Container]) -> docker.DockerClient | None:
    """The engine of the second host; None if there is none that runs."""
    hosts = [c for c in found if c.service == compose_file.SECOND_HOST and c.running]
    return stdio_transport.client(stdio_transport.dial_container(hosts[0].id)) if hosts else None


def all_placed(client: docker.DockerClient, found: Sequence[Container], project: str) -> list[Placed]:
    """On both engines, by mechanism.

    :raises LabError: the second engine does not answer
    """
    placed = _on(client, project)
    if second_host := second_engine(found):
        try:
            placed += _on(second_host, project)
        except (DockerException, requests.RequestException, OSError) as error:
            raise LabError(
                f"the second engine does not answer: {one_line(error)}", hint="./lab hosts down removes it"
            ) from error
    return sorted(placed, key=lambda it: it.mechanism)


def _on(client: docker.DockerClient, project: str) -> list[Placed]:
    wanted = {"label": [f"{PROJECT_LABEL}={project}", LABEL]}
    return [_placed(container) for container in client.containers.list(all=True, filters=wanted, sparse=True)]


def _placed(container: DockerContainer) -> Placed:
    """As the engine's list tells of it.

    :raises LabError: its labels name no mechanism or no placement of this version of the lab
    """
    labels = container.attrs["Labels"]
    mechanism, placement = labels.get(MECHANISM_LABEL, ""), labels[LABEL]
    if mechanism not in mechanisms.names() or placement not in list(map(str, Placement)):
        where = one_line(f"{mechanism!a} at {placement!a}", 60)
        raise LabError(
            f"{container.name} is the consumer of {where}: expected a mechanism and a placement of the lab",
            hint=f"docker rm -f {container.name}, then ./lab reset; or ./lab down",
        )
    return Placed(container, mechanism, Placement(placement), str(container.attrs["State"]))


# What compose.yaml shares between the two sides of a pair: `ipc:`, a volume, or a network.
_OF_PAIRS = (Placement.SHARED_IPC, Placement.SHARED_VOLUME, Placement.SHARED_NETWORK)


def elsewhere(mechanism: str) -> list[Placement]:
    """Where the consumer of a pair can be moved to: apart from the producer, and not where it is anyway."""
    requires = mechanisms.load(mechanism).traits.requires
    home = next(place for place in _OF_PAIRS if requires <= SHARED[place])
    return [place for place in Placement if place not in (Placement.SAME_CONTAINER, home)]


def reaches(mechanism: str, placement: Placement) -> bool:
    """Whether messages are to arrive at `placement`."""
    return reachable(mechanisms.load(mechanism).traits, placement)
