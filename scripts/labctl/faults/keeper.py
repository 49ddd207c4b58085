"""The end of a fault, kept by a process without a terminal: `python -m labctl.faults.keeper CONTAINER`.

The clock is the time of day, so a machine that slept ends the fault when it wakes. If this process is killed, the
record stays on the fault's container, and the next `./lab` command ends the fault.
"""

from __future__ import annotations

import sys
import time

import requests
from docker.errors import DockerException

from labctl.config.configuration import Configuration
from labctl.faults import running
from labctl.faults.running import Running
from labctl.lab.lab import Lab
from labctl.lab.project_lock import changing
from labctl.terminal.errors import LabError

_LOOK_EVERY_S = 5.0  # a monotonic clock stands still while a machine sleeps: so no longer than this
_PAUSE_S = 2.0
_TRIES = 5


def main(container_id: str) -> int:
    """Wait for the end of the fault, and put everything back; 1 where that failed each time."""
    lab = Lab(Configuration.load())
    tries = 0
    repeated_at = time.monotonic()
    while tries < _TRIES:
        try:
            it = _find(lab, container_id)
            if it is None:
                return 0
            if it.left_s <= 0:
                with changing(lab.project, f"the end of {it.in_words()}"):
                    if again := _find(lab, container_id):
                        running.stop(lab, again)
                return 0
            if it.fault.every_s and time.monotonic() - repeated_at >= it.fault.every_s:
                running.again(lab, it)
                repeated_at = time.monotonic()
            time.sleep(max(0.05, min(it.fault.every_s or _LOOK_EVERY_S, it.left_s)))
        except (LabError, DockerException, requests.RequestException, OSError):
            tries += 1
            time.sleep(_PAUSE_S**tries)
    return 1


def _find(lab: Lab, container_id: str) -> Running | None:
    return next((it for it in running.find(lab) if it.container.id == container_id), None)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
