"""`./lab doctor`, `test` and `dashboards`: checks of the machine and of the sources."""

from __future__ import annotations

from collections.abc import Sequence

import click

from labctl.cli.types import need_tools
from labctl.config.values import refuse


def check_test_options(pytest_arguments: Sequence[str], fast: bool) -> None:
    """`--fast` runs a choice of tests of its own.

    :raises BadInput: pytest was given another
    """
    if fast and pytest_arguments:
        hint = f"./lab test {' '.join(pytest_arguments)}"
        raise refuse(f"--fast {' '.join(pytest_arguments)}", expected="--fast without pytest arguments", hint=hint)


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
    """Check the sources (ruff, import-linter, strict mypy, hadolint, compose-lint) and run the tests.

    Arguments go to pytest.

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
