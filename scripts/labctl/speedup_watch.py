"""Who of a crew ended before the work was done: the coordinator could only notice that somebody is silent."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import docker
from docker.errors import APIError, DockerException, NotFound
from requests import RequestException

from labctl.speedup_containers import RUN_LABEL, Crew
from labctl.terminal.errors import LabError


class Watch(threading.Thread):
    """Asks the engine for nothing: it is told when a worker dies, and then ends the coordinator too."""

    def __init__(self, client: docker.DockerClient, crew: Crew) -> None:
        super().__init__(name="watch-workers", daemon=True)
        self._crew = crew
        self._dead: int | None = None
        self._events: Any = client.events(
            filters={"label": f"{RUN_LABEL}={crew.run}", "event": "die"},
            decode=True,
        )

    def run(self) -> None:
        with suppress(DockerException, RequestException, OSError, ValueError, AttributeError):  # closed
            for event in self._events:
                attributes = event["Actor"]["Attributes"]
                if attributes["exitCode"] == "0" or self._dead is not None:
                    continue
                number = int(attributes["com.docker.compose.container-number"])
                if number:
                    self._dead = number
                    self._end_coordinator()

    def close(self) -> None:
        """No more need to know."""
        with suppress(DockerException, RequestException, OSError, AttributeError):
            self._events.close()

    def failure(self, mechanism: str, exit_code: int) -> LabError:
        """Why the coordinator ended with `exit_code`: itself, or the worker that died first."""
        crew, dead = self._crew, self._dead
        who = crew.coordinator if dead is None else crew.workers[dead]
        assert who is not None
        name = "the coordinator" if dead is None else f"worker {dead}"
        who.reload()
        state = who.attrs["State"]
        code = (
            "out of memory" if state["OOMKilled"] else f"exit code {exit_code if dead is None else state['ExitCode']}"
        )
        lines = who.logs(stdout=False, stderr=True, tail=1).decode(errors="replace").split("\n")
        said = lines[0].strip().removeprefix("error: ") or "it said nothing"
        return LabError(
            f"speedup over {mechanism} with {len(crew.workers)} workers failed: {name} ended ({code}): {said}",
            hint="run it again; ./lab doctor looks at memory and CPUs",
        )

    def _end_coordinator(self) -> None:
        with suppress(APIError, NotFound):
            if self._crew.coordinator is not None:
                self._crew.coordinator.kill()
