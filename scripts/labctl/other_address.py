"""Where this machine and another one reach each other: by their own addresses, without a tunnel and a jump host."""

from __future__ import annotations

import socket
import subprocess

from labctl.config.values import refuse
from labctl.docker_host import OPTION, DockerHost

_DISCARD = 9  # no packet is sent there
_SHOWN_WITHIN_S = 5


def address_of(host: DockerHost) -> str:
    """The IPv4 address at which this machine reaches the other one.

    :raises BadInput: its name has none, or one of this machine's own loopback
    """
    name = _by_ssh_config(host) if host.scheme == "ssh" else host.host
    try:
        address = _resolved(name)
    except OSError as error:
        raise refuse(
            f"{OPTION} {host} ({name} has no IPv4 address: {error.strerror})",
            allowed="a machine that this one reaches directly",
            hint="Prometheus asks the probe there, and knows no jump host",
        ) from error
    if address.startswith("127."):
        raise refuse(
            f"{OPTION} {host} leads to {address}, this machine itself",
            allowed="the other machine's own address",
            hint=f"ssh://USER@HOST needs no tunnel; without {OPTION}, ./lab hosts up starts a second engine here",
        )
    return address


def leads_from(host: DockerHost) -> str | None:
    """The address of this machine from which packets leave for `host`; None if there is no way. None is sent."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asked:
        try:
            asked.connect((_by_ssh_config(host) if host.scheme == "ssh" else host.host, _DISCARD))
        except OSError:
            return None
        address = str(asked.getsockname()[0])
    return None if address.startswith("127.") else address


def _by_ssh_config(host: DockerHost) -> str:
    """The host name behind the alias, as ssh(1) -G tells it; the name itself where there is no ssh."""
    try:
        shown = subprocess.run(
            host.ssh("-G"),
            capture_output=True,
            encoding="utf-8",
            errors="replace",
            timeout=_SHOWN_WITHIN_S,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return host.host
    lines = (line.split(maxsplit=1) for line in shown.stdout.splitlines())
    return next((line[1] for line in lines if len(line) == 2 and line[0] == "hostname"), host.host)


def _resolved(name: str) -> str:
    return str(socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])
