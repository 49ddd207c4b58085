"""Run a program inside a progress step: its last line is the detail, its last lines explain a failure.

`side_by_side` runs jobs that start programs at the same time.
"""

from __future__ import annotations

import os
import shlex
import subprocess
import threading
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from pathlib import Path

from labctl.terminal.errors import LabError, failed
from labctl.terminal.progress import Step, say

_TAIL_SHOWN = 15
_TAIL_IN_MESSAGE = 3
_COMMAND_SHOWN = 100

_running: set[subprocess.Popen[str]] = set()
_interrupted = threading.Event()


def side_by_side(*jobs: Callable[[], None]) -> None:
    """Run `jobs`, which do not wait for each other, each in a thread of its own.

    Returns when the last has ended; the error of the first that failed is raised then, so that no package is left half
    installed. Ctrl-C and SIGTERM end the programs that the jobs have started.
    """
    _interrupted.clear()
    with ThreadPoolExecutor(max_workers=len(jobs)) as threads:
        ended = [threads.submit(job) for job in jobs]
        try:
            wait(ended)
        except BaseException:
            _interrupted.set()
            for process in list(_running):
                process.kill()
            raise
    for job in ended:
        job.result()


def run(
    command: list[str],
    *,
    step: Step,
    hint: str,
    environment: Mapping[str, str] | None = None,
    cwd: Path | None = None,
) -> str:
    """Run `command` with `environment` on top of ours, its lines shown as the step's detail; returns its output.

    :raises LabError: it cannot be started or exits non-zero: the last lines are printed, and the very last are in the
        message
    """
    lines: list[str] = []
    try:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env={**os.environ, **(environment or {})},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
            errors="replace",
        )
    except OSError as error:
        raise LabError(f"{_shown(command)} cannot be started: {error.strerror}", hint=hint) from error
    with process:
        _running.add(process)
        try:
            if _interrupted.is_set():  # while this one was being started
                process.kill()
            assert process.stdout is not None
            for line in process.stdout:
                if line.strip():
                    lines.append(line.rstrip())
                    step.detail(line)
        except BaseException:
            process.kill()
            raise
        finally:
            _running.discard(process)
    if process.returncode != 0:
        raise failure(command, process.returncode, lines, hint)
    return "\n".join(lines)


def failure(command: list[str], code: int, lines: list[str], hint: str) -> LabError:
    """The error for a command that failed, with the very last of its lines; the last ones are printed."""
    tail = deque(lines, _TAIL_SHOWN)
    for line in tail:
        say(f"  | {line}")
    last = " | ".join(line.strip() for line in list(tail)[-_TAIL_IN_MESSAGE:]) or "it printed nothing"
    return failed(f"{_shown(command)} failed with exit code {code}: {last}", hint=hint, said=" ".join(tail))


def _shown(command: list[str]) -> str:
    text = shlex.join(command)
    return text if len(text) <= _COMMAND_SHOWN else text[: _COMMAND_SHOWN - 1] + "…"
