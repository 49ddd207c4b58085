"""`./lab up`, `down` and `reset`: their options and their help."""

from __future__ import annotations

import click

from labctl.cli.types import ScaleOption, Seconds, check_types, mechanisms_argument, take_over_option
from labctl.cli.types import check as check_scale
from labctl.config import compose_file
from labctl.config.configuration import Configuration, lab_image, project_name
from labctl.lab import ports
from labctl.lab.project_lock import changing


@click.command(short_help="Start all pairs, or some, and measure.")
@mechanisms_argument
@click.option(
    "--timeout",
    "timeout_s",
    type=Seconds(),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="Seconds until a started pair must move messages.",
)
@click.option(
    "--scale",
    "scales",
    type=ScaleOption(),
    multiple=True,
    metavar="NAME.ROLE=N",
    help="Run N consumers or producers of a pair, if its mechanism serves several; repeatable.",
)
@click.option("--pull", is_flag=True, help="Ask also registries that did not answer in the last ten minutes.")
@take_over_option
def up(
    mechanisms: tuple[str, ...], timeout_s: int, scales: tuple[tuple[str, str, int], ...], pull: bool, take_over: bool
) -> None:
    """Start the lab, and wait until every pair has moved messages.

    Installs missing packages (Debian, Ubuntu), builds or pulls the images, starts the containers, and prints
    one row per pair and the addresses of the dashboards. A second run changes nothing and takes seconds.

    With MECHANISMs, starts these pairs only; other running pairs go on. Without --scale, a scaled pair goes back to
    one consumer and one producer.

    \b
      ./lab up
      ./lab up fifo tcp
      ./lab up sysv_mq --scale sysv_mq.consumer=3 --scale sysv_mq.producer=2
      LAB_SYSV_MQ_TYPES=2 ./lab up sysv_mq --scale sysv_mq.consumer=2         one type per consumer
      LAB_RATE=1000 ./lab up                      messages per second of each pair
      COMPOSE_PROJECT_NAME=second LAB_PAGE_PORT=8081 LAB_PROMETHEUS_PORT=9091 ./lab up
    """
    configuration = Configuration.load()
    wanted = sorted(set(mechanisms)) or compose_file.declared()
    configuration.check_size(wanted, "up")
    scale = check_scale(scales, wanted)
    check_types(scale, configuration.number("LAB_SYSV_MQ_TYPES"))

    from labctl.engine import engine
    from labctl.lab import clones, containers
    from labctl.lab.lab import Lab

    # Before the ports: without an engine to ask, a port of this lab would count as taken by another process.
    client = engine.usable()
    with changing(configuration.project, "./lab up"):
        if client and not take_over:
            clones.require_ours(containers.listed(client, configuration.project), configuration.project, "up")
        ports.check_free(configuration)

        from labctl.commands.up import bring_up

        bring_up(Lab(configuration), wanted, timeout_s, scale, ask_again=pull, take_over=take_over)


@click.command(short_help="Remove the containers, networks and volumes.")
@take_over_option
def down(take_over: bool) -> None:
    """Remove every container, network and volume of the lab, in any state.

    The last lines name each object that could not be removed, with the reason. Unnamed volumes that `docker compose
    down` left are removed too. Images stay, so the next `./lab up` is quick. With COMPOSE_PROJECT_NAME, that lab only.

    \b
      ./lab down
    """
    project = project_name()

    from labctl.commands.down import take_down
    from labctl.grafana import annotation

    with changing(project, "./lab down"):
        annotation.annotate_stop(take_down(project, lab_image(), take_over=take_over))


@click.command(short_help="Set the running lab back to its state after up.")
@take_over_option
def reset(take_over: bool) -> None:
    """Set the running lab back to its state right after `./lab up`, in seconds, with the same containers.

    Every count begins at 0. Each pair gets the load and the locks of its start. Paused and stopped containers run
    again, moved consumers move back, cut networks are joined, a scaled pair has one consumer and one producer again.
    Prometheus keeps its data, so graphs show the reset as a fall to 0.

    \b
      ./lab reset
    """
    configuration = Configuration.load()

    from labctl.commands.reset import reset as reset_lab
    from labctl.lab.lab import Lab

    with changing(configuration.project, "./lab reset"):
        reset_lab(Lab(configuration), take_over=take_over)
