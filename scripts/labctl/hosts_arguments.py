"""The options of `./lab hosts up`; checked before an engine is asked."""

from __future__ import annotations

import click

from labctl import docker_host
from labctl.docker_host import ADDRESS_OPTION, OPTION, DockerHost
from labctl.terminal.errors import BadInput


class DockerHostAddress(click.ParamType[DockerHost]):
    """Another machine's engine."""

    name = "docker-host"

    def convert(self, value: str | DockerHost, param: click.Parameter | None, ctx: click.Context | None) -> DockerHost:
        """The address in its parts.

        :raises BadInput: it is none
        """
        del param, ctx
        return value if isinstance(value, DockerHost) else docker_host.parse(value)


class OwnAddress(click.ParamType[str]):
    """An address of this machine."""

    name = "address"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address itself.

        :raises BadInput: it is none
        """
        del param, ctx
        return docker_host.parse_address(value)


def check_hosts_options(other: DockerHost | None, address: str | None) -> None:
    """Nothing of this machine is published but where the user says so.

    :raises BadInput: one of the two options without the other
    """
    if other and not address:
        from labctl.other_address import leads_from  # asks the kernel's routing table

        here = leads_from(other)
        raise BadInput(
            f"{OPTION} {other} without {ADDRESS_OPTION}: needed is the address of this machine at which that one may "
            "ask the responder",
            hint=f"{ADDRESS_OPTION} {here or 'one of `ip -brief -4 address`'}; it listens there until ./lab hosts down",
        )
    if address and not other:
        raise BadInput(
            f"{ADDRESS_OPTION} {address} without {OPTION}: a second host on this machine needs no address",
            hint=f"./lab hosts up {OPTION} ssh://USER@HOST {ADDRESS_OPTION} {address}",
        )
