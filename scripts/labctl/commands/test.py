"""`./lab test`: the checks of the sources and the tests, side by side where they do not disturb each other."""

from __future__ import annotations

import importlib.util
import math
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

import click

from labctl.config.configuration import Configuration
from labctl.config.paths import ROOT
from labctl.terminal.errors import LabError
from labctl.terminal.signals import Terminated
from labctl.terminal.waiting import wait_until

_TYPED = ("services", "scripts", "dashboards", "tests")
# Without the override that `./lab up` may have written on this machine.
_COMPOSE_LINT = ("--quiet", "--skip-suppressed", "--fail-on", "low", "--strict-config", "--no-merge-overrides")
WITHOUT_CONTAINERS = ("tests/unit", "tests/conformance", "tests/model")
WITH_CONTAINERS = "tests/lab"
# Of tests/lab/conftest.py, in the order in which they begin; what takes longest comes first.
PARTS = ("all", "hosts", "losses", "few", "exercises")
_LANES = 2


def run_checks(pytest_arguments: Sequence[str], fast: bool) -> None:
    """Run all of them, whatever the first finds; exits with the code of the first that failed.

    :param fast: no test that starts containers
    :raises LabError: the tools are not installed
    """
    modules = ("ruff", "importlinter", "mypy", "pytest", "compose_lint")
    absent = [module for module in modules if importlib.util.find_spec(module) is None]
    if absent:
        raise LabError(f"{', '.join(absent)} not installed here", hint="run it as ./lab test, which installs them")
    if pytest_arguments:
        codes = [*_lint(), run_tool("mypy", *_typed()), run_tool("pytest", *pytest_arguments)]
    elif fast:
        codes = _run_without_containers()
    else:
        codes = _run_everything()
    if failed := next((code for code in codes if code), 0):
        raise click.exceptions.Exit(failed)


def run_tool(tool: str, *arguments: str) -> int:
    """Run one module of the repository or of its tools; its exit code."""
    with _started(_module(tool, *arguments)) as process:
        return process.wait()


def _module(name: str, *arguments: str) -> list[str]:
    return [sys.executable, "-m", name, *arguments]


def _run_everything() -> list[int]:
    """The images are built while the tests without containers run; those with containers come after both."""
    with _started(_module("labctl", "test", "--fast"), end=signal.SIGTERM) as fast:
        _build_images()
        code = fast.wait()
    return [code, *_run_with_containers()]


def _run_with_containers() -> list[int]:
    """Two parts at a time, each with a lab of its own: with three, every test waits longer than is gained.

    What the first lane finds is seen as it comes; what the other one finds, after it.
    """
    waiting, codes = list(PARTS), []
    lanes: list[subprocess.Popen[bytes] | None] = [None] * _LANES
    said: list[IO[bytes]] = []
    with ExitStack() as all_started:

        def begin(part: str, lane: int) -> subprocess.Popen[bytes]:
            output = None
            if lane:
                output = all_started.enter_context(tempfile.TemporaryFile())
                said.append(output)
            return all_started.enter_context(
                _started(_module("pytest", WITH_CONTAINERS), output=output, LAB_TEST_PART=part)
            )

        def all_ended() -> bool:
            for lane, process in enumerate(lanes):
                if process and process.poll() is None:
                    continue
                if process:
                    codes.append(process.returncode)
                lanes[lane] = begin(waiting.pop(0), lane) if waiting else None
            return not any(lanes)

        wait_until(all_ended, math.inf)
        for output in said:
            output.seek(0)
            sys.stdout.write(f"\nMeanwhile, with another lab:\n{output.read().decode(errors='replace')}")
    return codes


def _run_without_containers() -> list[int]:
    """Mypy runs beside the tests, and says what it found after them."""
    # Each test has objects of its own, each process an IPC namespace and a prefix of its own: any two may run at once.
    # Three more than CPUs: more than half of their time they wait for a timeout of the kernel's or of ours.
    cpus = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    processes = str(cpus + 3)
    with tempfile.TemporaryFile() as said, _started(_module("mypy", *_typed()), output=said) as mypy:
        codes = _lint_and_compile()
        # A process without tests left takes some of another's: the tests that wait long are the last ones.
        spread = ("--numprocesses", processes, "--dist", "worksteal")
        tests = run_tool("pytest", *spread, *WITHOUT_CONTAINERS)
        codes.append(mypy.wait())
        said.seek(0)
        sys.stdout.write(f"mypy: {said.read().decode(errors='replace')}")
    return [*codes, tests]


def _lint_and_compile() -> list[int]:
    """On a new machine one process imports every test meanwhile: each of several would compile all of them.

    What cannot be imported is told by the run of the tests.
    """
    if any((ROOT / "tests").rglob("*.pyc")):
        return _lint()
    imported = _module("pytest", "--collect-only", "--quiet", *WITHOUT_CONTAINERS)
    with tempfile.TemporaryFile() as unread, _started(imported, output=unread):
        return _lint()


def _lint() -> list[int]:
    with _started([_program("lint-imports")]) as arrows:
        ruff = [run_tool("ruff", "check", "."), run_tool("ruff", "format", "--check", "--quiet", ".")]
        return [*ruff, *lint_containers(), arrows.wait()]


def lint_containers() -> list[int]:
    """Check the Dockerfiles and compose.yaml; .hadolint.yaml and .compose-lint.yml say what is excepted, and why."""
    with (
        _started([_program("hadolint"), *_dockerfiles()]) as images,
        _started([_program("compose-lint"), *_COMPOSE_LINT, "compose.yaml"]) as stack,
    ):
        return [images.wait(), stack.wait()]


def _program(name: str) -> str:
    """A tool of the environment that has no module to run."""
    return str(Path(sys.executable).with_name(name))


def _dockerfiles() -> list[str]:
    files = (ROOT / "services").rglob("Dockerfile*")
    return sorted(str(file.relative_to(ROOT)) for file in files if file.suffix != ".dockerignore")


def _typed() -> list[str]:
    """Mypy refuses a folder without Python in it."""
    return [folder for folder in _TYPED if any((ROOT / folder).rglob("*.py"))]


def _build_images() -> None:
    """The lab's, and the second host's. What fails here fails again in a test with containers, which tells more."""
    from labctl.engine.images import ensure_engine_image, make_ready  # Docker's SDK

    try:
        settings = Configuration.load().values
        client, base = make_ready(settings, root=ROOT)
        ensure_engine_image(client, settings, base, root=ROOT)
    except LabError as error:
        sys.stderr.write(f"error: {error}\n")


@contextmanager
def _started(
    command: Sequence[str],
    output: IO[bytes] | None = None,
    end: signal.Signals = signal.SIGINT,
    **environment: str,
) -> Iterator[subprocess.Popen[bytes]]:
    """One program, running; where the command line is terminated, it is sent `end` and waited for."""
    sys.stdout.flush()
    with subprocess.Popen(command, cwd=ROOT, stdout=output, env={**os.environ, **environment}) as process:
        try:
            yield process
        except KeyboardInterrupt as interrupt:
            if isinstance(interrupt, Terminated):  # Ctrl-C it hears by itself
                process.send_signal(end)
            process.wait()  # tests take down what they have brought up
            raise
