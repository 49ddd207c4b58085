"""`./lab hosts`: its commands, their options and their help.

The options of `./lab hosts up`; checked before an engine is asked.
"""

from __future__ import annotations

import click

from labctl.config.configuration import Configuration
from labctl.hosts import remote_address
from labctl.hosts.remote_address import ADDRESS_OPTION, OPTION, DockerHost
from labctl.lab.project_lock import changing
from labctl.terminal.errors import BadInput


class DockerHostAddress(click.ParamType[DockerHost]):
    """Another machine's engine."""

    name = "docker-host"

    def convert(self, value: str | DockerHost, param: click.Parameter | None, ctx: click.Context | None) -> DockerHost:
        """The address in its parts.

        :raises BadInput: it is none
        """
        del param, ctx
        return value if isinstance(value, DockerHost) else remote_address.parse(value)


class OwnAddress(click.ParamType[str]):
    """An address of this machine."""

    name = "address"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The address itself.

        :raises BadInput: it is none
        """
        del param, ctx
        return remote_address.parse_address(value)


def check_hosts_options(second_host: DockerHost | None, address: str | None) -> None:
    """Nothing of this machine is published but where the user says so.

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


@click.group(short_help="Add or remove a second Docker Engine, for the matrix.")
def hosts() -> None:
    """A second host: a Docker Engine of its own, with its own images, volumes and namespaces, here or on another
    machine.

    It is joined to the lab by a network alone. A probe runs in it, and `./lab matrix` gets one more column.

    \b
      ./lab hosts up
      ./lab hosts down
    """


@hosts.command("up", short_help="Start the second engine, or take another machine's, and a probe in it.")
@click.option(
    OPTION,
    "second_host",
    type=DockerHostAddress(),
    metavar="URL",
    help="Another machine's engine: ssh://USER@HOST, or tcp://HOST:PORT.",
)
@click.option(
    ADDRESS_OPTION,
    "address",
    type=OwnAddress(),
    metavar="ADDRESS",
    help=f"With {OPTION}: the address of this machine that the other one may ask, until hosts down.",
)
def hosts_up(second_host: DockerHost | None, address: str | None) -> None:
    """Start a second engine beside the running lab, bring the lab's image into it, and start a probe there.

    With --docker-host, the second engine is another machine's, where that user may use Docker. On this machine, TCP
    and UDP LAB_TCP_PORT are then published on --address and on no other address; on the other one, TCP 9464 shows the
    probe's metrics to Prometheus. `./lab hosts down` takes all of it back.

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


@hosts.command("down", short_help="Remove the second engine, or leave the other machine as it was.")
def hosts_down() -> None:
    """Remove the second engine with its images, containers and volume, or from another machine what was brought there.

    The lab goes on. Consumers that were placed there come back with their books, and a stack of ./lab swarm up, whose
    other node it is, goes first. The image of the engine itself stays, so that the next `./lab hosts up` is quick.

    \b
      ./lab hosts down
    """
    configuration = Configuration.load()

    from labctl.commands.hosts import take_down
    from labctl.lab.lab import Lab

    with changing(configuration.project, "./lab hosts down"):
        take_down(Lab(configuration))
