"""The probe on the second host, be that an engine in a container here or another machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

import requests
from docker.errors import DockerException
from docker.models.containers import Container as DockerContainer

from ipclab.matrix.placement import Placement
from labctl.config.compose_file import PUBLISHED_RESPONDER
from labctl.hosts import published_responder, remote_probe, stdio_transport
from labctl.lab.containers import PROJECT_LABEL, Container, Ran, read_again, read_in
from labctl.terminal.errors import LabError
from labctl.terminal.printing import one_line

NAME = "probe"  # in the engine that is a container here
_NEIGHBOUR = Placement.SHARED_NETWORK  # whose command it has, but for the placement, and the address where it needs one
NEEDS = frozenset({Placement.SAME_CONTAINER, _NEIGHBOUR})


def is_elsewhere(stand_in: Container) -> bool:
    """Whether the second host, of which `stand_in` is what runs on this engine, is another machine."""
    return stand_in.service == PUBLISHED_RESPONDER


def command_of(probes: Mapping[Placement, Container]) -> list[str]:
    """Its command, after the image's entry point."""
    role, _, *options = probes[_NEIGHBOUR].docker.attrs["Config"]["Cmd"]
    stand_in = probes.get(Placement.SECOND_HOST)
    command = [role, str(Placement.SECOND_HOST), *options]
    if stand_in and is_elsewhere(stand_in):
        address, port = published_responder.address_of(stand_in)
        command += ["--host", address, "--port", str(port)]
    return command


def read(stand_in: Container, command: Sequence[str]) -> Ran:
    """Run in its container what only reads and prints.

    :raises LabError: the other machine does not answer in time
    """
    if is_elsewhere(stand_in):
        url, project = published_responder.host_of(stand_in), stand_in.docker.labels[PROJECT_LABEL]
        return read_again(lambda: remote_probe.execute(url, project, command))
    return read_in(stand_in.docker, ["docker", "exec", NAME, *command])


def both_ends(probes: Mapping[Placement, Container]) -> tuple[Container, Container]:
    """The responder that it asks, and itself; in an engine in a container it has the name and the networks of that one.

    :raises LabError: the other engine does not answer, or has no probe
    """
    stand_in = probes[Placement.SECOND_HOST]
    if not is_elsewhere(stand_in):
        try:
            mounts = (
                stdio_transport.client(stdio_transport.dial_container(stand_in.id)).containers.get(NAME).attrs["Mounts"]
            )
        except (DockerException, requests.RequestException) as error:
            raise LabError(f"no probe on the second host: {one_line(error)}", hint="./lab hosts up") from error
        itself = DockerContainer(attrs={**stand_in.docker.attrs, "Mounts": mounts})
        return probes[Placement.SAME_CONTAINER], replace(
            stand_in, docker=itself, service=f"probe at {stand_in.service}"
        )
    url = published_responder.host_of(stand_in)
    there = remote_probe.find(url, stand_in.docker.labels[PROJECT_LABEL])
    return stand_in, replace(stand_in, docker=there, id=there.id[: len(stand_in.id)], service=f"probe at {url}")
