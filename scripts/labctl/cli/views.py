"""`./lab status`, `watch`, `logs`, `fork`, `report` and `open`: the views of the running lab, with options and help."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import click

from labctl.cli.types import Lines, MechanismName, OutputFolder, Since, mechanism_argument, need_tools
from labctl.config.configuration import Configuration
from labctl.config.values import refuse
from labctl.grafana.dashboards import DashboardName


def check_status_options(mechanism: str | None, sections: Mapping[str, bool], as_json: bool) -> None:
    """`./lab status` shows one pair, or sections, or the whole document.

    :raises BadInput: two of them were asked for
    """
    asked = [f"--{name}" for name, wanted in sections.items() if wanted]
    ways = [
        *([mechanism] if mechanism else []),
        *([" ".join(asked)] if asked else []),
        *(["--json"] if as_json else []),
    ]
    if len(ways) > 1:
        hint = f"./lab status {ways[0]}; --json has all of it" if as_json else f"./lab status {ways[0]}"
        raise refuse(f"status {' '.join(ways)}", expected="a MECHANISM, or sections, or --json", hint=hint)


@click.command(short_help="Show the pairs, one pair, the kernel's objects or the containers.")
@click.argument("mechanism", metavar="[MECHANISM]", type=MechanismName(), required=False)
@click.option("--kernel", is_flag=True, help="Show the kernel's objects: segments, queues, buffers.")
@click.option("--containers", is_flag=True, help="Show the containers: state, memory, CPU.")
@click.option("--all", "everything", is_flag=True, help="Show all sections.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: seconds, bytes, messages, shares of one core.")
def status(mechanism: str | None, kernel: bool, containers: bool, everything: bool, as_json: bool) -> None:
    """Show the measurements: a row for each pair, in 24 lines of 80 columns.

    With MECHANISM: every figure of that pair, its kernel objects and its containers. Counters are totals since the
    pair's first start or the last reset; rates and latencies are those of the last seconds. Exit code 1 if the lab is
    not running.

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
    from labctl.lab.lab import Lab

    if as_json:
        show_json(Lab(configuration))
    elif mechanism:
        show_pair(Lab(configuration), mechanism)
    elif everything:
        show_status(Lab(configuration), list(Section))
    else:
        show_status(Lab(configuration), [Section(name) for name, asked in sections.items() if asked] or [Section.PAIRS])


@click.command(short_help="Show the first dashboard in the terminal, live.")
def watch() -> None:
    """Show the first dashboard in the terminal: the rate, latency and cost of every mechanism, updated every second.

    Ctrl-C ends it. If the output is not a terminal, prints the table once.

    \b
      ./lab watch
    """
    configuration = Configuration.load()

    from labctl.commands.watch import watch as show
    from labctl.lab.lab import Lab

    show(Lab(configuration))


@click.command(short_help="Show the logs of a pair's containers.")
@mechanism_argument
@click.option(
    "--tail",
    "lines",
    type=Lines(),
    default=20,
    show_default=True,
    metavar="N",
    help="The last N lines of each container.",
)
def logs(mechanism: str, lines: int) -> None:
    """Show the last log lines of the producers and consumers of a pair, in order of time.

    \b
      ./lab logs tcp
      ./lab logs tcp --tail 100
    """
    configuration = Configuration.load()

    from labctl.commands.logs import show_logs
    from labctl.lab.lab import Lab

    show_logs(Lab(configuration), mechanism, lines)


@click.command(short_help="Show the anonymous pipes of a parent and its child.")
def fork() -> None:
    """Fork a process in the container of anonymous_pipe's producer; the child answers through two pipes.

    Shows which process has which end of which pipe, by the inodes of the pipes, and the time of a round trip. The
    pair itself goes on.

    \b
      ./lab fork
    """
    configuration = Configuration.load()

    from labctl.commands.fork import show_fork
    from labctl.lab.lab import Lab

    show_fork(Lab(configuration))


@click.command(short_help="Write the measurements into one HTML file.")
@click.option(
    "--since",
    "since_s",
    type=Since(),
    default="15m",
    show_default=True,
    metavar="DURATION",
    help="Start of the report, before now.",
)
@click.option(
    "--output",
    "folder",
    type=OutputFolder(),
    default="report",
    show_default=True,
    metavar="DIR",
    help="Folder of the report.",
)
def report(since_s: int, folder: Path) -> None:
    """Write a report to DIR/report.html: tables, plots, the machine, versions and settings.

    The file needs no other file and no network; the plots are also written as PNG files. A new report replaces an
    older one in DIR when the new one is complete.

    \b
      ./lab report
      ./lab report --since 1h --output monday
    """
    configuration = Configuration.load()

    from labctl.lab.prometheus import Prometheus

    Prometheus(configuration.number("LAB_PROMETHEUS_PORT")).query("vector(1)")  # a silent one has nothing to write
    need_tools()

    from labctl.lab.lab import Lab
    from labctl.report.report import write_report

    write_report(Lab(configuration), since_s, folder)


@click.command("open", short_help="Open a dashboard in the browser.")
@click.argument("dashboard", type=DashboardName(), required=False, metavar="[DASHBOARD]")
def open_(dashboard: str | None) -> None:
    """Open a dashboard in the browser, or print its address if there is no display. Without a name: the first one.

    `./lab report` writes the measurements to a file.
    """
    configuration = Configuration.load()

    from labctl.commands.open import open_dashboard
    from labctl.lab.lab import Lab

    open_dashboard(Lab(configuration), dashboard)
