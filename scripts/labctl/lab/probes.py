"""The probes of `./lab matrix`: which containers they are, and the placement that each has."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ipclab.matrix.placement import Placement
from labctl.config.compose_file import PROBE, PUBLISHED_RESPONDER, RESPONDER, SECOND_HOST, matrix_services
from labctl.lab.containers import Container


def placement_of(service: str) -> Placement | None:
    """Where the probe in this Compose service stands; None for any other service."""
    if service == RESPONDER:
        return Placement.SAME_CONTAINER
    if service in (SECOND_HOST, PUBLISHED_RESPONDER):  # its counterpart on this engine
        return Placement.SECOND_HOST
    name = service.removeprefix(PROBE).replace("-", "_")
    return Placement(name) if service.startswith(PROBE) and name in set(Placement) else None


def probes_of(found: Sequence[Container]) -> dict[Placement, Container]:
    """The running probes."""
    return {place: container for container in found if container.running and (place := placement_of(container.service))}


def placements_shown(probes: Iterable[Placement]) -> list[Placement]:
    """The placements of the whole lab, and whichever else has a probe, in the order in which less is shared."""
    found = {*map(placement_of, matrix_services()), *probes}
    return [place for place in Placement if place in found]
