"""`./lab hosts`: its commands and their help."""

from __future__ import annotations

import click

from labctl.configuration import Configuration


@click.group(short_help="Start or remove a second Docker Engine, for the matrix.")
def hosts() -> None:
    """A second host on this machine: a Docker Engine of its own, with its own images, volumes and namespaces.

    It is joined to the lab by a network alone. A probe runs in it, and `./lab matrix` gets one more column.

    \b
      ./lab hosts up
      ./lab hosts down
    """


@hosts.command("up", short_help="Start the second engine, and a probe in it.")
def hosts_up() -> None:
    """Start the second engine beside the running lab, bring the lab's image into it, and start a probe there.

    \b
      ./lab hosts up
    """
    configuration = Configuration.load()

    from labctl.hosts import bring_up

    bring_up(configuration)


@hosts.command("down", short_help="Remove the second engine, with all that it holds.")
def hosts_down() -> None:
    """Remove the second engine with its images, containers and volume. The lab goes on.

    \b
      ./lab hosts down
    """
    configuration = Configuration.load()

    from labctl.hosts import take_down

    take_down(configuration)
