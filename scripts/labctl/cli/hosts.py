"""`./lab hosts`: its commands, their options and their help. Options are checked before an engine is asked."""

from __future__ import annotations

import click

from labctl.config.configuration import Configuration
from labctl.hosts import remote_address
from labctl.hosts.remote_address import ADDRESS_OPTION, OPTION, DockerHost
from labctl.lab.project_lock import changing
from labctl.terminal.errors import BadInput


class DockerHostAddress(click.ParamType[DockerHost]):
    """The Docker Engine of another machine."""

    name = "docker-host"

    def convert(self, value: str | DockerHost, param: click.Parameter | None, ctx: click.Context | None) -> DockerHost:
        """The address in its parts.

        :raises BadInput: the value is not an address
        """
        del param, ctx
        return value if isinstance(value, DockerHost) else remote_address.parse(value)


class OwnAddress(click.ParamType[str]):
    """An address of this machine."""

    name = "address"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address itself.

        :raises BadInput: the value is not an address
        """
        del param, ctx
        return remote_address.parse_address(value)


def check_hosts_options(second_host: DockerHost | None, address: str | None) -> None:
    """The two options belong together: a port is published only on an address that the user gives.

    :raises BadInput: one of the two options without the other
    """
    if second_host and not address:
        from labctl.hosts.remote_address import leads_from  # asks the kernel's routing table

        here = leads_from(second_host)
        raise BadInput(
            f"{ADDRESS_OPTION} is missing: the address at which {second_host} reaches this machine",
            hint=f"{ADDRESS_OPTION} {here or 'one of `ip -brief -4 address`'}; it listens there until ./lab hosts down",
        )
    if address and not second_host:
        raise BadInput(
            f"{ADDRESS_OPTION} {address} without {OPTION}: a second host on this machine needs no address",
            hint=f"./lab hosts up {OPTION} ssh://USER@HOST {ADDRESS_OPTION} {address}",
        )


@click.group(short_help="Add or remove a second host, a Docker Engine of its own.")
def hosts() -> None:
    """A second host is a Docker Engine of its own, with its own images, volumes and namespaces. A local one is a
    container on this machine, a remote one is another machine.

    Only a network joins the second host to the lab. A probe runs on it, and `./lab matrix` gets one more column.

    \b
      ./lab hosts up
      ./lab hosts down
    """


@hosts.command("up", short_help="Start a second host and a probe on it.")
@click.option(
    OPTION,
    "second_host",
    type=DockerHostAddress(),
    metavar="URL",
    help="The engine of another machine: ssh://USER@HOST or tcp://HOST:PORT.",
)
@click.option(
    ADDRESS_OPTION,
    "address",
    type=OwnAddress(),
    metavar="ADDRESS",
    help=f"With {OPTION}: the address at which the other machine reaches this one; published until hosts down.",
)
def hosts_up(second_host: DockerHost | None, address: str | None) -> None:
    """Start a second host beside the running lab, copy the lab's image to it, and start a probe on it.

    With --docker-host, the second host is another machine. The user of the URL needs the right to use Docker there.
    This machine then publishes TCP and UDP LAB_TCP_PORT on --address only; the other machine publishes TCP 9464, the
    metrics of the probe for Prometheus. `./lab hosts down` removes all of it.

    \b
      ./lab hosts up
      ./lab hosts up --docker-host ssh://user@192.0.2.20 --address 192.0.2.10
    """
    check_hosts_options(second_host, address)
    configuration = Configuration.load()

    from labctl.commands.hosts import bring_up
    from labctl.lab.lab import Lab

    with changing(configuration.project, "./lab hosts up"):
        bring_up(Lab(configuration), second_host, address)


@hosts.command("down", short_help="Remove the second host.")
def hosts_down() -> None:
    """Remove a local second host with its images, containers and volume, or the probe and the image from a remote one.

    The lab goes on. Consumers on the second host move back with their ledgers. A stack of ./lab swarm up is removed
    first. The image of the local engine stays, so the next `./lab hosts up` is quick.

    \b
      ./lab hosts down
    """
    configuration = Configuration.load()

    from labctl.commands.hosts import take_down
    from labctl.lab.lab import Lab

    with changing(configuration.project, "./lab hosts down"):
        take_down(Lab(configuration))
