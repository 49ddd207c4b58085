"""What shows the running lab: `./lab status`, `watch`, `fork`, `report`, `open`."""

from __future__ import annotations

from pathlib import Path

import click

from labctl.arguments import MechanismName, check_status_options
from labctl.config.configuration import Configuration
from labctl.dashboard_names import DashboardName
from labctl.report_arguments import OutputFolder, Since
from labctl.tools_needed import need_tools


@click.command(short_help="Show the pairs; or one, the kernel's objects, the containers.")
@click.argument("mechanism", metavar="[MECHANISM]", type=MechanismName(), required=False)
@click.option("--kernel", is_flag=True, help="Show what the kernel holds: segments, queues, buffers.")
@click.option("--containers", is_flag=True, help="Show the containers: state, memory, CPU.")
@click.option("--all", "everything", is_flag=True, help="Show all of it.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: seconds, bytes, messages, shares of one core.")
def status(mechanism: str | None, kernel: bool, containers: bool, everything: bool, as_json: bool) -> None:
    """Show what is being measured: a row for each pair, in 24 lines of 80 columns.

    With MECHANISM, every figure of that pair, its kernel objects and its containers. Counters are totals since the
    pair's first start; rates and latencies are those of the last seconds. Exit code 1 if the lab is not running.

    \b
      ./lab status
      ./lab status sysv_mq
      ./lab status --kernel --containers
      ./lab status --all
      ./lab status --json | jq '.pairs[] | {mechanism, lost, one_way_p99_seconds}'
    """
    sections = {"kernel": kernel, "containers": containers, "all": everything}
    check_status_options(mechanism, sections, as_json)
    configuration = Configuration.load()

    from labctl.commands.status import Section, show_json, show_pair, show_status

    if as_json:
        show_json(configuration)
    elif mechanism:
        show_pair(configuration, mechanism)
    elif everything:
        show_status(configuration, list(Section))
    else:
        show_status(configuration, [Section(name) for name, asked in sections.items() if asked] or [Section.PAIRS])


@click.command(short_help="Show the first dashboard here, live.")
def watch() -> None:
    """Show in the terminal what every mechanism does right now and what a message costs, again every second.

    Ctrl-C ends it. Where the output is no terminal, prints the table once.

    \b
      ./lab watch
    """
    configuration = Configuration.load()

    from labctl.commands.watch import watch as show

    show(configuration)


@click.command(short_help="Show the anonymous pipes of a parent and its child.")
def fork() -> None:
    """Fork a process in the container of anonymous_pipe's producer, and let it answer through two pipes.

    Shows which process has which end of which pipe, by the kernel's names for them, and the time of a round trip. The
    pair itself goes on.

    \b
      ./lab fork
    """
    configuration = Configuration.load()

    from labctl.commands.fork import show_fork

    show_fork(configuration)


@click.command(short_help="Write what was measured into one HTML file.")
@click.option(
    "--since",
    "since_s",
    type=Since(),
    default="15m",
    show_default=True,
    metavar="DURATION",
    help="How far back to look.",
)
@click.option(
    "--output",
    "folder",
    type=OutputFolder(),
    default="report",
    show_default=True,
    metavar="DIR",
    help="Where to write.",
)
def report(since_s: int, folder: Path) -> None:
    """Write what was measured: tables, plots, the machine, versions and settings, in DIR/report.html.

    The file needs nothing beside it and no network; the plots lie beside it as PNGs too. An older report in
    DIR is replaced once the new one is whole.

    \b
      ./lab report
      ./lab report --since 1h --output monday
    """
    configuration = Configuration.load()

    from labctl.prometheus import Prometheus

    Prometheus(configuration.number("LAB_PROMETHEUS_PORT")).query("vector(1)")  # a silent one has nothing to write
    need_tools()

    from labctl.report import write_report

    write_report(configuration, since_s, folder)


@click.command("open", short_help="Open a dashboard in the browser.")
@click.argument("dashboard", type=DashboardName(), required=False, metavar="[DASHBOARD]")
def open_(dashboard: str | None) -> None:
    """Open a dashboard in the browser, or print its address where there is no display. Without a name, the first one.

    `./lab report` keeps what was measured, in a file.
    """
    configuration = Configuration.load()

    from labctl.commands.open import open_dashboard

    open_dashboard(configuration, dashboard)
