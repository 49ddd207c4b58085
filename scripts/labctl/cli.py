"""The commands, their options and their help. What they do is in the module of the same name."""

from __future__ import annotations

from pathlib import Path

import click

from ipclab.placement import Placement
from labctl import pairs, ports
from labctl.arguments import (
    MechanismName,
    OnOff,
    PlacementName,
    Seconds,
    WholeNumber,
    check_bench_options,
    check_load_options,
    check_one_format,
    check_sync_options,
)
from labctl.configuration import Configuration, project_name
from labctl.dashboard_names import DashboardName
from labctl.place_arguments import check_place_options
from labctl.report_arguments import OutputFolder, Since
from labctl.scale import ScaleOption, check_types
from labctl.scale import check as check_scale
from labctl.speedup_arguments import CHUNKS, JOB, ROUNDS, AnyMechanism, WorkerCounts
from labctl.swarm_cli import swarm

_CONTEXT = {"help_option_names": ["-h", "--help"], "max_content_width": 100}

mechanisms_argument = click.argument("mechanisms", metavar="[MECHANISM]...", nargs=-1, type=MechanismName())
mechanism_argument = click.argument("mechanism", metavar="MECHANISM", type=MechanismName())


# Each command checks its input first, and only then imports the module that acts on it: Docker's SDK and rich
# take longer to load than most bad input takes to refuse.
@click.group(context_settings=_CONTEXT, invoke_without_command=True)
@click.pass_context
def cli(context: click.Context) -> None:
    """Run pairs of containers that talk through System V shared memory, queues, pipes and sockets,
    under live load, and measure every message.

    \b
      ./lab up                  bring everything up, and print what was measured
      ./lab status              print it again
      ./lab load fifo --rate 2000 --size 4096
      ./lab down                leave nothing behind

    Settings are in .env; a variable exported in the shell wins. Exit codes: 0 it worked, 1 it did not,
    2 bad input and nothing was changed, 130 interrupted.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())


@cli.command(short_help="Start everything, or some pairs, and measure.")
@mechanisms_argument
@click.option(
    "--timeout",
    "timeout_s",
    type=Seconds(),
    default=60,
    show_default=True,
    metavar="SECONDS",
    help="How long a started pair may take to move messages.",
)
@click.option(
    "--scale",
    "scales",
    type=ScaleOption(),
    multiple=True,
    metavar="NAME.ROLE=N",
    help="Run N consumers or producers of a pair, where its mechanism can serve them; again for the next.",
)
def up(mechanisms: tuple[str, ...], timeout_s: int, scales: tuple[tuple[str, str, int], ...]) -> None:
    """Bring the lab up, and wait until every pair has moved messages.

    Installs what is missing (Debian, Ubuntu), builds or pulls the images, starts the containers, and
    prints one row per pair and the addresses to open. Running it again changes nothing and takes seconds.

    With MECHANISMs, starts these pairs only; other pairs that run go on. A pair that was scaled goes back to
    one consumer and one producer when it is started without --scale.

    \b
      ./lab up
      ./lab up fifo tcp
      ./lab up sysv_mq --scale sysv_mq.consumer=3 --scale sysv_mq.producer=2
      LAB_SYSV_MQ_TYPES=2 ./lab up sysv_mq --scale sysv_mq.consumer=2         each picks a type
      LAB_RATE=1000 ./lab up                      messages per second of each pair
      COMPOSE_PROJECT_NAME=second LAB_PROMETHEUS_PORT=9091 LAB_GRAFANA_PORT=3001 ./lab up
    """
    configuration = Configuration.load()
    wanted = sorted(set(mechanisms)) or pairs.declared()
    configuration.check_size(wanted)
    scale = check_scale(scales, wanted)
    check_types(scale, configuration.number("LAB_SYSV_MQ_TYPES"))
    ports.check_free(configuration)

    from labctl.up import bring_up

    bring_up(configuration, wanted, timeout_s, scale)


@cli.command(short_help="Remove the containers, networks and volumes.")
def down() -> None:
    """Remove every container, network and volume of the lab, in whatever state they are.

    Images stay, so that the next `./lab up` is quick. With COMPOSE_PROJECT_NAME, that lab only.

    \b
      ./lab down
    """
    project = project_name()

    from labctl import starts
    from labctl.down import take_down

    starts.annotate_stop(take_down(project))


@cli.command(short_help="Show the measurements and the containers.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: seconds, bytes, messages, shares of one core.")
def status(as_json: bool) -> None:
    """Show what is being measured, and the containers it runs in.

    Counters are totals since the pair's first start; rates and latencies are those of the last seconds.
    Exit code 1 if the lab is not running.

    \b
      ./lab status
      ./lab status --json | jq '.pairs[] | {mechanism, lost, one_way_p99_seconds}'
    """
    configuration = Configuration.load()

    from labctl.status import show_status

    show_status(configuration, as_json)


@cli.command(short_help="Show the first dashboard here, live.")
def watch() -> None:
    """Show in the terminal what every mechanism does right now and what a message costs, again every second.

    Ctrl-C ends it. Where the output is no terminal, prints the table once.

    \b
      ./lab watch
    """
    configuration = Configuration.load()

    from labctl.watch import watch as show

    show(configuration)


@cli.command(short_help="Write what was measured into one HTML file.")
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

    from labctl.report import write_report

    write_report(configuration, since_s, folder)


@cli.command("open", short_help="Open a dashboard in the browser.")
@click.argument("dashboard", type=DashboardName(), required=False, metavar="[DASHBOARD]")
@click.option("--snapshot", is_flag=True, help="Keep what the dashboard shows now, and open that instead.")
def open_(dashboard: str | None, snapshot: bool) -> None:
    """Open a dashboard in the browser, or print its address where there is no display. Without a name, the first one.

    A snapshot stays in Grafana until `./lab down`: its data no longer changes.

    \b
      ./lab open
      ./lab open --snapshot
    """
    configuration = Configuration.load()

    from labctl.browse import open_dashboard

    open_dashboard(configuration, dashboard, snapshot)


@cli.command(short_help="Change rate or size of a running pair.")
@mechanism_argument
@click.option("--rate", type=WholeNumber("LAB_RATE"), metavar="N", help="Messages per second.")
@click.option("--size", type=WholeNumber("LAB_SIZE"), metavar="BYTES", help="Bytes of each message, header included.")
@click.option("--reset", is_flag=True, help="Go back to the LAB_RATE and LAB_SIZE the pair was started with.")
def load(mechanism: str, rate: int | None, size: int | None, reset: bool) -> None:
    """Change the load of a running pair without restarting it, and print its row under the new load.

    An option that is not given leaves its part of the load as it is.

    \b
      ./lab load fifo --rate 2000 --size 4096
      ./lab load fifo --size 64
      ./lab load fifo --reset
    """
    check_load_options(mechanism, rate, size, reset)
    configuration = Configuration.load()

    from labctl.load import change_load

    change_load(configuration, mechanism, rate, size, reset)


@cli.command(short_help="Switch the lock of a running pair's shared words.")
@mechanism_argument
@click.argument("state", metavar="[on|off]", type=OnOff(), required=False)
@click.option("--reset", is_flag=True, help="Go back to the LAB_SYNC the pair was started with.")
def sync(mechanism: str, state: str | None, reset: bool) -> None:
    """Switch the lock around what both sides of a pair change, and print what that costs.

    Once a second both sides change a counter and a record that they share. With the lock, nothing is lost;
    without it the same code loses updates and reads torn records, which are counted. Messages go on as ever.

    
      ./lab sync sysv_shm off
      ./lab sync sysv_shm on
      ./lab sync sysv_shm --reset
    """
    check_sync_options(mechanism, state, reset)
    configuration = Configuration.load()

    from labctl.sync import change_sync

    change_sync(configuration, mechanism, None if reset else state == "on")


@cli.command(short_help="Split one job over workers, and measure what that brings.")
@click.option("--mechanism", type=AnyMechanism(), required=True, metavar="MECHANISM", help="How they communicate.")
@click.option("--workers", type=WorkerCounts(), default="1,2", show_default=True, metavar="N,...", help="How many.")
@click.option("--job", "limit", type=JOB, default=500_000, show_default=True, metavar="N", help="Count primes below N.")
@click.option("--chunks", type=CHUNKS, default=64, show_default=True, metavar="N", help="Tasks it is split into.")
@click.option("--rounds", type=ROUNDS, default=5, show_default=True, metavar="N", help="How often to compare.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: seconds, ratios, and every round in ns.")
def speedup(mechanism: str, workers: tuple[int, ...], limit: int, chunks: int, rounds: int, as_json: bool) -> None:
    """Split one CPU-bound job over worker containers, and compare with one process that does it alone.

    Needs no running lab and leaves nothing behind; stop a running one first, or its load is in the figures.
    Any mechanism carries tasks and results. More chunks cost more messages, fewer leave workers without.

    \b
      ./lab speedup --mechanism sysv_mq --workers 1,2
      ./lab speedup --mechanism tcp --workers 2 --chunks 2000
      ./lab speedup --mechanism udp --workers 1,2,4 --json | jq '.comparisons[] | {workers, speedup}'
    """
    configuration = Configuration.load()

    from labctl.speedup import compare

    compare(configuration, mechanism, workers, limit=limit, chunks=chunks, rounds=rounds, as_json=as_json)


@cli.command(short_help="Compare the mechanisms: what each promises and needs.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: every fact, and where it is written.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the table of docs/MECHANISMS.md.")
def mechanisms(as_json: bool, as_markdown: bool) -> None:
    """Compare the mechanisms: what each promises, what it needs, and where that is written.

    Shows every mechanism there is, also those that have no pair in compose.yaml. Needs no Docker.

    \b
      ./lab mechanisms
      ./lab mechanisms --json | jq '.mechanisms[] | {mechanism, persistence, source: .sources.persistence}'
    """
    check_one_format("mechanisms", json=as_json, markdown=as_markdown)

    from labctl.mechanisms import show_json, show_markdown, show_mechanisms

    if as_json:
        show_json()
    elif as_markdown:
        show_markdown()
    else:
        show_mechanisms()


@cli.command(short_help="Show from where each mechanism can be reached, and why not.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: seconds, errnos, reasons and their sources.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the table of README.md.")
@click.option(
    "--explain",
    nargs=2,
    type=(MechanismName(), PlacementName()),
    metavar="MECHANISM PLACEMENT",
    help="Show the evidence for one cell: namespaces, mounts, networks, the failed system call.",
)
def matrix(as_json: bool, as_markdown: bool, explain: tuple[str, Placement] | None) -> None:
    """Show mechanism by placement, measured: what can be reached with what in common, and how fast.

    A responder answers by every mechanism. Probes ask it: from the same container, and from containers that share with
    it the IPC namespace only, a volume only, a network only. Exit code 1 if the lab is not running, or if a cell
    differs from what the mechanism's traits predict.

    \b
      ./lab matrix
      ./lab matrix --explain sysv_shm shared_network
      ./lab matrix --json | jq '.cells[] | select(.success | not) | {mechanism, placement, error}'
    """
    check_one_format("matrix", json=as_json, markdown=as_markdown, explain=explain)
    configuration = Configuration.load()

    from labctl.matrix import show_evidence, show_matrix

    if explain:
        show_evidence(configuration, *explain)
    else:
        show_matrix(configuration, "json" if as_json else "markdown" if as_markdown else "table")


@cli.command(short_help="Move the consumer of a pair apart from its producer, live, and back.")
@mechanism_argument
@click.argument("placement", metavar="[PLACEMENT]", type=PlacementName(), required=False)
@click.option("--back", is_flag=True, help="Move it back to where it was.")
def place(mechanism: str, placement: Placement | None, back: bool) -> None:
    """Move the consumer of a running pair to another placement, and show what arrives there.

    It takes its books with it, so every sequence number stays accounted for, there and back. `./lab up` puts back
    whoever is elsewhere. second_host needs `./lab hosts up`.

    \b
      ./lab place sysv_shm shared_network
      ./lab place tcp second_host
      ./lab place tcp --back
    """
    check_place_options(mechanism, placement, back)
    configuration = Configuration.load()

    from labctl.place import place as move_consumer
    from labctl.place import put_back

    if placement:
        move_consumer(configuration, mechanism, placement)
    else:
        put_back(configuration, mechanism)


@cli.group(short_help="Start or remove a second Docker Engine, for the matrix.")
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


cli.add_command(swarm)


@cli.command(short_help="Check this machine; changes nothing.")
def doctor() -> None:
    """Check this machine: engine, Compose, ports, memory, CPUs, disk, registry. Changes nothing.

    Each line says ok, warn or bad, and what to change. Exit code 1 if anything is bad.

    \b
      ./lab doctor
    """
    from labctl.doctor import examine

    examine()


@cli.command(short_help="Check the sources and run the tests.", context_settings={"ignore_unknown_options": True})
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST ARGUMENT]...")
def test(pytest_arguments: tuple[str, ...]) -> None:
    """Check the sources (ruff, strict mypy), then run the tests; arguments go to pytest.

    All three run, whatever the first finds; the exit code is that of the first that failed.

    \b
      ./lab test
      ./lab test tests/unit -k checker -x
    """
    from labctl.checks import run_checks

    run_checks(pytest_arguments)


@cli.command()
@click.argument("what", required=False, type=click.Choice(["footprint", "instrumentation", "speed", "plain_file"]))
@click.option("--cold", is_flag=True, help="Also time a start without images: removes the lab's, and the build cache.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; with speed only.")
def bench(what: str | None, cold: bool, as_json: bool) -> None:
    """Measure what the lab costs here, or how fast its mechanisms are.

    footprint: seconds to start, memory, CPU. Runs a lab of its own beside yours and takes it down again; a few
    minutes. Stop yours first, or its load is in the figures. instrumentation: what measuring costs. speed: round
    trips and rates of every mechanism, two processes on one CPU or two, without containers; about a minute.
    plain_file: what its lock and fsync cost. Without a name, the first two.

    \b
      ./lab bench
      ./lab bench footprint --cold
      ./lab bench speed
      ./lab bench speed --json
      ./lab bench plain_file
    """
    check_bench_options(what, cold, as_json)

    from labctl.checks import run_tool

    options = [*([what] if what else []), *(["--cold"] if cold else []), *(["--json"] if as_json else [])]
    raise click.exceptions.Exit(run_tool("bench", *options))


@cli.command()
@click.option("--check", is_flag=True, help="Write nothing; name the files that are outdated, and exit with 1.")
def dashboards(check: bool) -> None:
    """Write the dashboards' JSON anew from their code, after a change of either.

    \b
      ./lab dashboards
    """
    from labctl.checks import run_tool

    raise click.exceptions.Exit(run_tool("dashboards", *(["--check"] if check else [])))
