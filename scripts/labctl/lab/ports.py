"""The ports the lab publishes on 127.0.0.1: free, or already the lab's own."""

from __future__ import annotations

import errno
import random
import socket
from typing import TYPE_CHECKING

from labctl.config.configuration import PUBLISHED_PORTS, Configuration
from labctl.config.paths import LOCALHOST
from labctl.terminal.errors import BadInput, LabError

if TYPE_CHECKING:
    import docker

# Linux gives the ports 32768 to 60999 to connections (ip(7), ip_local_port_range), macOS those from 49152 on, and
# `./lab class` those from 20000 on to labs.
_GIVEN_TO_NOBODY = range(10_000, 20_000)


def check_free(configuration: Configuration, *names: str) -> None:
    """Refuse a port that somebody else listens on; all published ones without `names`.

    :raises BadInput: it is in use, and not by this project's container
    """
    for name in names or PUBLISHED_PORTS:
        port = configuration.number(name)
        if in_use(port) and not _is_ours(configuration.project, port):
            raise BadInput(
                f"port {port} is in use on {LOCALHOST} ({name}={port})",
                hint=f"{name}={free_port()} is free; or stop what listens there (ss -ltnp 'sport = :{port}')",
            )


def in_use(port: int, kind: socket.SocketKind = socket.SOCK_STREAM) -> bool:
    """Whether somebody listens on the port."""
    with socket.socket(type=kind) as probe:
        # Without it, connections that were closed a moment ago count as well (TIME_WAIT, tcp(7)).
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((LOCALHOST, port))
        except OSError as error:
            # Ports below 1024 are EACCES for us, and the engine, which is root, may publish them.
            return error.errno == errno.EADDRINUSE
    return False


def free_port() -> int:
    """A port nobody listens on now, and that no connection is given before it is used."""
    while in_use(port := random.choice(_GIVEN_TO_NOBODY)) or in_use(port, socket.SOCK_DGRAM):
        pass
    return port


def published_ports(client: docker.DockerClient, project: str) -> set[int]:
    """The ports of this machine that the project's containers publish."""
    from labctl.lab.containers import listed  # imports the SDK

    published = (container.attrs.get("Ports") or [] for container in listed(client, project))
    return {port["PublicPort"] for found in published for port in found if "PublicPort" in port}


def _is_ours(project: str, port: int) -> bool:
    """Whether a container of this project publishes the port; without an engine, none does."""
    from labctl.engine import engine

    try:
        client = engine.connect()
    except LabError:
        return False
    return port in published_ports(client, project)
