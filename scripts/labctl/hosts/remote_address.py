"""The address of another machine's Docker Engine: `ssh://[USER@]HOST[:PORT]` or `tcp://HOST:PORT`.

These are the forms of Docker's own `--host` without sockets and pipes, which belong to one machine
(docs.docker.com/reference/cli/docker, "Environment variables"). The two machines reach each other by their own
addresses, without a tunnel and a jump host.
"""

from __future__ import annotations

import ipaddress
import re
import socket
import subprocess
from dataclasses import dataclass
from urllib.parse import urlsplit

from labctl.config.values import refuse, shown
from labctl.terminal.errors import BadInput

OPTION, ADDRESS_OPTION = "--docker-host", "--address"
# Neither begins with "-", which ssh would take for an option.
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]*[A-Za-z0-9])?")
_USER = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]*")
_CONNECT_WITHIN_S = 5


@dataclass(frozen=True)
class DockerHost:
    """A parsed address. `str` gives it back as Docker writes it."""

    scheme: str  # ssh, tcp
    host: str
    port: int | None
    user: str | None

    def __str__(self) -> str:
        user = f"{self.user}@" if self.user else ""
        return f"{self.scheme}://{user}{self.host}{f':{self.port}' if self.port else ''}"

    def ssh(self, *options: str) -> list[str]:
        """ssh(1) to that machine. It asks no question, and gives up after five seconds."""
        port = ["-p", str(self.port)] if self.port else []
        user = ["-l", self.user] if self.user else []
        bounded = ["-o", "BatchMode=yes", "-o", f"ConnectTimeout={_CONNECT_WITHIN_S}"]
        return ["ssh", *bounded, *port, *user, *options, "--", self.host]

    def shown_ssh(self) -> str:
        """What a person types for the same."""
        port = f"-p {self.port} " if self.port else ""
        return f"ssh {port}{f'{self.user}@' if self.user else ''}{self.host}"

    def dial(self) -> list[str]:
        """The command whose standard input and output lead to the engine, as Docker's own client does it."""
        return [*self.ssh(), "docker system dial-stdio"]


def parse(value: str) -> DockerHost:
    """`value` as an address.

    :raises BadInput: it is none; a password in it is not shown
    """
    try:
        parts = urlsplit(value)
        found = DockerHost(parts.scheme, parts.hostname or "", parts.port, parts.username)
        bare = not (parts.password or parts.path or parts.query or parts.fragment)
    except ValueError:  # a port that is none
        raise _no_address(value) from None
    by_scheme = {"ssh": found.user is None or _USER.fullmatch(found.user), "tcp": found.user is None and found.port}
    if not (bare and found.port != 0 and _HOST.fullmatch(found.host) and by_scheme.get(found.scheme)):
        raise _no_address(value)
    return found


def parse_address(value: str) -> str:
    """`value` as an address at which another machine can reach this one.

    :raises BadInput: it is none
    """
    try:
        address = ipaddress.IPv4Address(value)
    except ValueError:
        address = None
    if address is None or address.is_loopback or address.is_unspecified or address.is_multicast:
        raise refuse(
            f"{ADDRESS_OPTION} {shown(value)}",
            expected="one IPv4 address of this machine that the other one reaches, and neither 127.0.0.1 nor 0.0.0.0",
            hint="`ip -brief -4 address` lists them",
        )
    return value


def _no_address(value: str) -> BadInput:
    without_secret = value.rpartition("@")[2] if "@" in value else value
    return refuse(
        f"{OPTION} {shown(without_secret)}",
        expected="ssh://USER@HOST, ssh://HOST:PORT or tcp://HOST:PORT",
        hint="ssh needs no open port on the other machine; a name from ~/.ssh/config will do",
    )


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
        raise BadInput(
            f"{OPTION} {host}: {name} has no IPv4 address ({error.strerror})",
            hint="Prometheus asks the probe there, and knows no jump host",
        ) from error
    if address.startswith("127."):
        raise BadInput(
            f"{OPTION} {host} leads to {address}, which is this machine",
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
