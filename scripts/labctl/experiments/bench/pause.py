"""The steady load of a running lab stands still while a bench measures, and goes on afterwards, whatever happened.

The engine freezes the processes (cgroup freezer, docker pause): no message is lost, and nobody's connection breaks.
Messages that would have been due meanwhile are counted as skipped.
"""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from docker.errors import APIError, NotFound

from labctl.lab.containers import Container, freeze
from labctl.lab.lab import Lab
from labctl.terminal.printing import counted
from labctl.terminal.progress import say, step


@contextmanager
def load_paused(lab: Lab) -> Iterator[int]:
    """Pause every running container of the project within the block; how many there are.

    A container that was paused before stays so.
    """
    running = [container for container in lab.containers() if container.running]
    if not running:
        yield 0
        return
    paused: list[Container] = []
    try:
        with step(f"Pausing the lab's {counted(len(running), 'container')}"):
            for container in running:
                paused.append(container)  # before the call: one that is interrupted may have been carried out
                with suppress(NotFound):
                    freeze(container.docker)
        yield len(paused)
    finally:
        _resume(paused)


def _resume(paused: list[Container]) -> None:
    """Every one, also if one fails, or if Ctrl-C comes again. The engine refuses for a container that is not paused."""
    failed = []
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        for container in reversed(paused):
            try:
                container.docker.unpause()
            except NotFound:
                pass
            except APIError as error:
                if "not paused" not in str(error):
                    failed.append(container.label)
    finally:
        signal.signal(signal.SIGINT, before)
    if failed:
        say(f"still paused: {', '.join(failed)} (hint: ./lab reset)")
