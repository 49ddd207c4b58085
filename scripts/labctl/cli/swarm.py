"""`./lab swarm`: its commands, their options and their help."""

from __future__ import annotations

import click

from labctl.cli.types import mechanisms_argument
from labctl.config import compose_file
from labctl.config.configuration import Configuration, project_name
from labctl.lab.project_lock import changing


@click.group(short_help="Run the pairs as a Docker Swarm stack on two nodes.")
def swarm() -> None:
    """The pairs on Docker Swarm: consumers on one node, producers on another. Only overlay networks join the nodes.

    A Swarm cannot share an IPC namespace, nor a volume across nodes. Pairs that need one move no message, and
    `./lab swarm status` shows the kernel's errno.

    \b
      ./lab swarm up
      ./lab swarm status
      ./lab swarm down
    """


@swarm.command("up", short_help="Deploy the pairs on two nodes, and show them.")
@mechanisms_argument
def swarm_up(mechanisms: tuple[str, ...]) -> None:
    """Deploy the pairs as a stack, with the responder and its probes, one task after the other.

    The manager is a new engine in a container, and the second node is the second host (./lab hosts up). The engine of
    the lab joins no Swarm. If the engine already manages a Swarm with another node, the lab uses that Swarm. Without a
    second node the exit code is 2, and nothing is changed.

    \b
      ./lab swarm up
      ./lab swarm up tcp udp sysv_shm
    """
    configuration = Configuration.load()
    wanted = sorted(set(mechanisms)) or compose_file.declared()
    configuration.check_size(wanted, "swarm up")

    from labctl.clusters.swarm.swarm import bring_up
    from labctl.lab.lab import Lab

    with changing(configuration.project, "./lab swarm up"):
        bring_up(Lab(configuration), wanted)


@swarm.command("status", short_help="Show the nodes of the tasks, the pairs and the matrix.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: messages, errnos, epochs in ns since 1970.")
def swarm_status(as_json: bool) -> None:
    """Show the pairs across the nodes, and the matrix of a task on the same node and a task on another node.

    \b
      ./lab swarm status
      ./lab swarm status --json | jq '.pairs[] | {mechanism, open, error, epochs}'
    """
    project = project_name()

    from labctl.clusters.swarm.swarm import show_status

    show_status(project, as_json)


@swarm.command("down", short_help="Remove the stack, and the Swarm if it is the lab's.")
def swarm_down() -> None:
    """Remove the stack, and the Swarm with its manager if `./lab swarm up` made it. The lab goes on.

    \b
      ./lab swarm down
    """
    project = project_name()

    from labctl.clusters.swarm.down import take_down

    with changing(project, "./lab swarm down"):
        take_down(project)
