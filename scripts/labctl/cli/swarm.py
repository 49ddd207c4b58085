"""`./lab swarm`: its commands, their options and their help."""

from __future__ import annotations

import click

from labctl.cli.types import mechanisms_argument
from labctl.config import compose_file
from labctl.config.configuration import Configuration, project_name
from labctl.lab.project_lock import changing


@click.group(short_help="Run the pairs as a Docker Swarm stack on two nodes.")
def swarm() -> None:
    """The pairs on Docker Swarm: consumers on one node, producers on another, joined by overlay networks alone.

    A Swarm cannot share an IPC namespace, or a volume across nodes: those pairs stay dark, with the kernel's errno.

    \b
      ./lab swarm up
      ./lab swarm status
      ./lab swarm down
    """


@swarm.command("up", short_help="Deploy the pairs on two nodes, and show them.")
@mechanisms_argument
def swarm_up(mechanisms: tuple[str, ...]) -> None:
    """Deploy the pairs as a stack, with the responder and its probes, one task after the other.

    The manager is an engine in a container, made for it, and the second node is the second host (./lab hosts up). The
    engine of the lab joins no Swarm. Where it manages one already that has another node, that Swarm is used. Without
    a second node, exit code 2 and nothing is changed.

    \b
      ./lab swarm up
      ./lab swarm up tcp udp sysv_shm
    """
    configuration = Configuration.load()
    wanted = sorted(set(mechanisms)) or compose_file.declared()
    configuration.check_size(wanted, "swarm up")

    from labctl.lab.lab import Lab
    from labctl.swarm.swarm import bring_up

    with changing(configuration.project, "./lab swarm up"):
        bring_up(Lab(configuration), wanted)


@swarm.command("status", short_help="Show where the tasks run, and what reaches whom.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: messages, errnos, epochs in ns since 1970.")
def swarm_status(as_json: bool) -> None:
    """Show the pairs across the nodes, and the matrix from a task on this node and from one on another.

    \b
      ./lab swarm status
      ./lab swarm status --json | jq '.pairs[] | {mechanism, open, error, epochs}'
    """
    project = project_name()

    from labctl.swarm.swarm import show_status

    show_status(project, as_json)


@swarm.command("down", short_help="Remove the stack, and the Swarm if it is the lab's.")
def swarm_down() -> None:
    """Remove the stack, and the Swarm with its manager where `./lab swarm up` made it. The lab goes on untouched.

    \b
      ./lab swarm down
    """
    project = project_name()

    from labctl.swarm.down import take_down

    with changing(project, "./lab swarm down"):
        take_down(project)
