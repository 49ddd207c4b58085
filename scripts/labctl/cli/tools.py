"""What looks at the machine and the sources: `./lab doctor`, `test`, `bench`, `dashboards`."""

from __future__ import annotations

import click

from labctl.cli.types import BenchName, check_bench_options, check_test_options, need_tools


@click.command(short_help="Check this machine; changes nothing.")
def doctor() -> None:
    """Check this machine: engine, Compose, ports, memory, CPUs, disk, registry. Changes nothing.

    Each line says ok, warn or bad, and what to change. Exit code 1 if anything is bad.

    \b
      ./lab doctor
    """
    from labctl.doctor.doctor import examine

    examine()


@click.command(short_help="Check the sources and run the tests.", context_settings={"ignore_unknown_options": True})
@click.option("--fast", is_flag=True, help="Start no containers: all checks, unit and conformance tests.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST ARGUMENT]...")
def test(pytest_arguments: tuple[str, ...], fast: bool) -> None:
    """Check the sources (ruff, strict mypy) and run the tests; arguments go to pytest.

    All of them run, whatever the first finds; the exit code is that of the first that failed.

    \b
      ./lab test
      ./lab test --fast
      ./lab test tests/unit -k checker -x
    """
    check_test_options(pytest_arguments, fast)
    need_tools()

    from labctl.commands.test import run_checks

    run_checks(pytest_arguments, fast)


@click.command(short_help="Measure what the lab costs here, or how fast it is.")
@click.argument("what", required=False, type=BenchName(), metavar="[footprint|instrumentation|speed|plain_file]")
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
    need_tools()

    from labctl.commands.test import run_tool

    options = [*([what] if what else []), *(["--cold"] if cold else []), *(["--json"] if as_json else [])]
    raise click.exceptions.Exit(run_tool("bench", *options))


@click.command(short_help="Write the dashboards' JSON anew from their code.")
@click.option("--check", is_flag=True, help="Write nothing; name the files that are outdated, and exit with 1.")
def dashboards(check: bool) -> None:
    """Write the dashboards' JSON anew from their code, after a change of either.

    \b
      ./lab dashboards
    """
    need_tools()

    from labctl.commands.test import run_tool

    raise click.exceptions.Exit(run_tool("dashboards", *(["--check"] if check else [])))
