"""A responder that another machine reaches, on an address of this one; it is also where that machine is noted.

A port is published when a container is made and never later, and only from a network that is not internal. So this
is a container beside the responder, with its image and command. It shares what the second host shares: a network.
"""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping

import docker
from docker.types import EndpointConfig

from labctl.config import compose_file
from labctl.config.compose_file import PUBLISHED_RESPONDER, of_every_container
from labctl.config.configuration import Configuration
from labctl.config.values import refuse
from labctl.engine import engine
from labctl.hosts import remote_probe
from labctl.hosts.image_transfer import Brought
from labctl.hosts.remote_address import ADDRESS_OPTION, DockerHost
from labctl.lab import containers
from labctl.lab.containers import Container
from labctl.terminal.errors import BadInput

HOST_LABEL, _ADDRESS_LABEL, _IMAGE_LABEL = "ipclab.docker-host", "ipclab.address", "ipclab.brought-image"
_NAME = "echo"  # what the responder listens on, as its --host has it: here its address in the network that publishes
_METRICS, _FRONT = "metrics", "front"  # compose.yaml's networks: scraping only, and the one that is not internal


def find(found: Iterable[Container]) -> Container | None:
    """The one of this lab; its label HOST_LABEL says which machine is the second host."""
    return next((container for container in found if container.service == PUBLISHED_RESPONDER), None)


def host_of(responder: Container) -> str:
    """The other machine's engine, as the user named it."""
    return str(responder.docker.labels[HOST_LABEL])


def address_of(responder: Container) -> tuple[str, int]:
    """The address of this machine, and the port of it, that it is published on."""
    address, _, port = responder.docker.labels[_ADDRESS_LABEL].partition(":")
    return address, int(port)


def brought_by(responder: Container) -> str | None:
    """The id of the image that was brought to the other machine; None if it was there before."""
    return responder.docker.labels[_IMAGE_LABEL] or None


def require_bindable(address: str, port: int) -> None:
    """TCP and UDP `port` of `address` must be this machine's, and free. Where the engine is elsewhere, it will tell.

    :raises BadInput: they are not
    """
    if not engine.engine_address().startswith("unix:"):
        return
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET, kind) as tried:
            tried.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, kind == socket.SOCK_STREAM)
            try:
                tried.bind((address, port))
            except PermissionError:  # below 1024; the engine may
                continue
            except OSError as error:
                raise refuse(
                    f"{ADDRESS_OPTION} {address} (port {port}: {error.strerror})",
                    expected="an address of this machine where LAB_TCP_PORT is free, for TCP and for UDP",
                    hint="`ip -brief -4 address` lists the addresses; LAB_TCP_PORT names another port",
                ) from error


def start(
    client: docker.DockerClient,
    configuration: Configuration,
    responder: Container,
    second_host: DockerHost,
    published: tuple[str, int],
    brought: Brought,
) -> Container:
    """Publish a responder like `responder` (TCP, UDP) at `published`: address and port. A label names `second_host`."""
    address, port = published
    project = configuration.project
    front = f"{project}_{_FRONT}"
    labels = {
        HOST_LABEL: str(second_host),
        _ADDRESS_LABEL: f"{address}:{port}",
        _IMAGE_LABEL: brought.id if brought.new else "",
    }
    made = client.containers.create(
        configuration.lab_image,
        [*responder.docker.attrs["Config"]["Cmd"], "--port", str(port), "--answer-only"],
        name=f"{project}-{PUBLISHED_RESPONDER}-1",
        labels={**containers.one_off_labels(project, PUBLISHED_RESPONDER, 1), **labels},
        network=front,
        networking_config={front: EndpointConfig(client.api.api_version, aliases=[_NAME])},
        ports={f"{port}/{protocol}": (address, port) for protocol in ("tcp", "udp")},
        ipc_mode="private",
        restart_policy={"Name": "unless-stopped"},
        **{**of_every_container(), "mem_limit": compose_file.service(compose_file.RESPONDER)["mem_limit"]},
    )
    client.networks.get(f"{project}_{_METRICS}").connect(made, aliases=["exporter"])
    made.start()
    return next(c for c in containers.of_project(client, project) if c.docker.id == made.id)


def leave(project: str, responder_id: str, labels: Mapping[str, str]) -> None:
    """Take away what is on the other machine, as the labels of the responder with this id have it.

    :raises LabError: that machine does not answer
    """
    remote_probe.take_away(labels[HOST_LABEL], project, responder_id, labels[_IMAGE_LABEL] or None)


def refusal(project: str, what: str, *, hint: str) -> BadInput | None:
    """Why `what` cannot be done with a second host that is another machine; None if it is not."""
    known = find(containers.of_project(engine.connect(), project))
    if known is None:
        return None
    return BadInput(f"{what} needs a second host on this machine, and {host_of(known)} is another machine", hint=hint)
