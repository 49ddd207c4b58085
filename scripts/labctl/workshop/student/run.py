"""One run of a student's program: it ends, hangs or floods its log, and each of these is one line.

The log is read while the program runs and counted. The engine itself keeps at most two files of 1 MB of it
(compose.yaml), so a program that writes without end fills no disk.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from docker.errors import APIError, DockerException
from docker.models.containers import Container as DockerContainer
from requests import RequestException

from labctl.terminal.printing import one_line
from labctl.terminal.waiting import wait_until

MOST_LOG_BYTES = 1 << 20
_LAST_LINES = 20
_LONGEST = 200
_KILLED = 137  # 128 + SIGKILL


class Run:
    """A container from its start to its end; may be started again after `kill`."""

    def __init__(self, container: DockerContainer, name: str) -> None:
        self.container = container
        self.name = name
        self._logged = 0
        self._flooded = threading.Event()
        self._expected_end = False

    def start(self) -> None:
        """Start the container, and count what it logs."""
        self._expected_end = False
        self.container.start()
        threading.Thread(target=self._count_log, name="student-log", daemon=True).start()

    def kill(self) -> None:
        """kill -9 of the program and of all that it started; waits for its end."""
        self._expected_end = True
        with suppress(APIError):  # it ended by itself a moment ago
            self.container.kill("SIGKILL")
        self.container.wait(timeout=10)

    def ended(self) -> bool:
        """Whether the program has ended, or was stopped for its log."""
        self.container.reload()
        return self._flooded.is_set() or self.container.status not in ("running", "created")

    def wait_until(self, condition: Callable[[], bool], within_s: float) -> bool:
        """Wait for a condition, or the end of the program; whether the condition holds."""
        wait_until(lambda: condition() or self.ended(), within_s)
        return condition()

    def problem(self) -> str | None:
        """How the program failed, in one line; None for one that runs, or ended with exit code 0 or as asked."""
        if self._flooded.is_set():
            return f"{self.name} was stopped: it wrote more than {MOST_LOG_BYTES >> 20} MiB to its log"
        self.container.reload()
        state = self.container.attrs["State"]
        if state["OOMKilled"]:
            limit = self.container.attrs["HostConfig"]["Memory"] >> 20
            return f"{self.name} was killed: it used more than {limit} MiB of memory"
        code = state["ExitCode"]
        if state["Running"] or not code or (self._expected_end and code == _KILLED):
            return None
        said = self._last_line()
        return f"{self.name} ended with exit code {code}" + (f": {said}" if said else "")

    def _last_line(self) -> str:
        with suppress(DockerException, RequestException):
            lines = self.container.logs(tail=_LAST_LINES).decode(errors="replace").split("\n")
            said = [line for line in lines if line.strip()]
            return one_line(said[-1])[:_LONGEST] if said else ""
        return ""

    def _count_log(self) -> None:
        with suppress(DockerException, RequestException, OSError, ValueError, AttributeError):  # it was removed
            for part in self.container.logs(stream=True, follow=True, tail=0):
                self._logged += len(part)
                if self._logged > MOST_LOG_BYTES and not self._flooded.is_set():
                    self._flooded.set()
                    self.container.kill("SIGKILL")
