"""`./lab doctor`, `test`, `bench` and `dashboards`: checks of the machine and of the sources."""

from __future__ import annotations

import platform
from collections.abc import Sequence

import click

from labctl.cli.types import BenchName, need_tools
from labctl.config.values import refuse
from labctl.terminal.errors import LabError


def check_test_options(pytest_arguments: Sequence[str], fast: bool) -> None:
    """`--fast` runs a choice of tests of its own.

    :raises BadInput: pytest was given another
    """
    if fast and pytest_arguments:
        hint = f"./lab test {' '.join(pytest_arguments)}"
        raise refuse(f"--fast {' '.join(pytest_arguments)}", expected="--fast without pytest arguments", hint=hint)


def check_bench_options(what: str | None, cold: bool, as_json: bool) -> None:
    """An option of `./lab bench` must belong to what is measured, and that must be possible here.

    :raises BadInput: it would change nothing
    :raises LabError: it needs Linux
    """
    if cold and what not in (None, "footprint"):
        raise refuse(f"--cold with {what}", expected="--cold with footprint", hint="./lab bench footprint --cold")
    system = platform.system()
    if what not in (None, "footprint") and system != "Linux":
        raise LabError(
            f"bench {what} makes system calls of Linux, and this is {system}",
            hint="./lab bench footprint measures the lab here; the containers have a Linux",
        )
    if as_json and what != "speed":
        raise refuse(f"--json with {what or 'no name'}", expected="--json with speed", hint="./lab bench speed --json")


@click.command(short_help="Check this machine; changes nothing.")
def doctor() -> None:
    """Check this machine: engine, Compose, ports, memory, CPUs, disk, registry. Changes nothing.

    Each line has a verdict (ok, warn, bad) and the change to make. Exit code 1 if a verdict is bad.

    \b
      ./lab doctor
    """
    from labctl.doctor.doctor import examine

    examine()


@click.command(short_help="Check the sources and run the tests.", context_settings={"ignore_unknown_options": True})
@click.option("--fast", is_flag=True, help="Start no containers: all checks, unit and conformance tests.")
@click.argument("pytest_arguments", nargs=-1, type=click.UNPROCESSED, metavar="[PYTEST ARGUMENT]...")
def test(pytest_arguments: tuple[str, ...], fast: bool) -> None:
    """Check the sources (ruff, import-linter, strict mypy) and run the tests; arguments go to pytest.

    Every check runs, also after a failure. The exit code is that of the first check that failed.

    \b
      ./lab test
      ./lab test --fast
      ./lab test tests/unit -k checker -x
    """
    check_test_options(pytest_arguments, fast)
    need_tools()

    from labctl.commands.test import run_checks

    run_checks(pytest_arguments, fast)


@click.command(short_help="Measure the costs of the lab, or the speed of its mechanisms.")
@click.argument("what", required=False, type=BenchName(), metavar="[footprint|instrumentation|speed|plain_file]")
@click.option("--cold", is_flag=True, help="Also time a start without images: removes the lab's, and the build cache.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; with speed only.")
def bench(what: str | None, cold: bool, as_json: bool) -> None:
    """Measure the costs of the lab on this machine, or the speed of its mechanisms.

    footprint: seconds to start, memory, CPU. The bench starts a lab of its own and removes it, in a few minutes. Stop
    your lab first, or its load is in the figures. instrumentation: the cost of measuring. speed: round trips and
    rates of every mechanism, two processes on one CPU or two, without containers; about a minute. plain_file: the
    cost of its lock and of fsync. Without a name: footprint and instrumentation.

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


@click.command(short_help="Generate the JSON of the dashboards from their code.")
@click.option("--check", is_flag=True, help="Write nothing; name outdated files, and exit with 1.")
def dashboards(check: bool) -> None:
    """Generate the JSON of the dashboards from their code, after a change of either.

    \b
      ./lab dashboards
    """
    need_tools()

    from labctl.commands.test import run_tool

    raise click.exceptions.Exit(run_tool("dashboards", *(["--check"] if check else [])))
