"""The containers of one comparison: a coordinator, its workers, and what the mechanism needs them to share; no more.

They are confined as compose.yaml confines all containers of ours. They are not in it, because their number, and what
they share, is chosen on the command line. See docs/decisions/0017-speedup-containers.md.

The watch names the worker that ended before the work was done: the coordinator only sees a silent channel.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Any

import docker
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container as DockerContainer
from docker.types import EndpointConfig
from requests import RequestException

from ipclab.contract.channel import Sharing
from labctl.config.compose_file import of_every_container
from labctl.lab.containers import PROJECT_LABEL, one_off_labels, remove_labelled
from labctl.terminal.errors import LabError

RUN_LABEL = "ipclab.speedup"
COORDINATOR = "speedup-coordinator"
WORKER = "speedup-worker"
_VOLUME_AT = "/channel"
# Each worker may need a ring for its tasks and one for its results, of 2 MiB each, and there are up to 16 workers.
_SHM_SIZE = "96m"


class WorkerContainers:
    """What runs; made and removed one at a time, see docs/decisions/0011-serial-start-and-stop.md."""

    def __init__(self, client: docker.DockerClient, project: str, image: str, requires: frozenset[Sharing]) -> None:
        self.run = secrets.token_hex(4)
        self.coordinator: DockerContainer | None = None
        self.workers: dict[int, DockerContainer] = {}
        self._client = client
        self._project = project
        self._image = image
        self._requires = requires
        self._name = f"{project}-speedup-{self.run}"

    def share(self) -> None:
        """Make what the containers will share."""
        labels = {PROJECT_LABEL: self._project, RUN_LABEL: self.run}
        if Sharing.VOLUME in self._requires:
            self._client.volumes.create(self._name, labels=labels)
        if Sharing.NETWORK in self._requires:
            self._client.networks.create(self._name, driver="bridge", internal=True, labels=labels)

    def start_coordinator(self, mechanism: str, arguments: Sequence[str]) -> DockerContainer:
        """Start it; where an IPC namespace is shared, it is this container's, which nothing restarts."""
        ipc = {"ipc_mode": "shareable", "shm_size": _SHM_SIZE} if self._shares_ipc else {"ipc_mode": "private"}
        self.coordinator = self._start(COORDINATOR, 0, [mechanism, *arguments], ipc)
        return self.coordinator

    def start_worker(self, mechanism: str, number: int) -> None:
        """Start the worker with this number, from 1, after the coordinator."""
        assert self.coordinator is not None
        ipc = {"ipc_mode": f"container:{self.coordinator.id}" if self._shares_ipc else "private"}
        self.workers[number] = self._start(WORKER, number, [mechanism, "--number", str(number)], ipc)

    def remove(self) -> None:
        """Remove whatever bears this run's label, also what the engine made while we were interrupted."""
        remove_labelled(self._client, f"{RUN_LABEL}={self.run}")

    @property
    def _shares_ipc(self) -> bool:
        return bool(self._requires & {Sharing.IPC_NAMESPACE, Sharing.DEV_SHM})  # Docker's `ipc:` shares both

    def _start(self, role: str, number: int, arguments: list[str], ipc: dict[str, str]) -> DockerContainer:
        container: DockerContainer = self._client.containers.create(
            self._image,
            [role, *arguments],
            name=f"{self._name}-{number}",
            labels={**one_off_labels(self._project, role, number), RUN_LABEL: self.run},
            **of_every_container(),
            **ipc,
            **self._place(number),
        )
        container.start()
        return container

    def _place(self, number: int) -> dict[str, Any]:
        """The volume and the network; a host is found by the name that `ipclab.speedup.topology` expects."""
        place: dict[str, Any] = {"network_mode": "none"}
        if Sharing.VOLUME in self._requires:
            place["volumes"] = {self._name: {"bind": _VOLUME_AT, "mode": "rw"}}
        if Sharing.NETWORK in self._requires:
            endpoint = EndpointConfig(self._client.api.api_version, aliases=[f"speedup-{number}"])
            place |= {"network": self._name, "networking_config": {self._name: endpoint}}
            del place["network_mode"]
        return place


@contextmanager
def worker_containers(
    client: docker.DockerClient, project: str, image: str, requires: frozenset[Sharing]
) -> Iterator[WorkerContainers]:
    """The containers of one run, within the block. They are removed at its end, also after an error."""
    containers = WorkerContainers(client, project, image, requires)
    try:
        containers.share()
        yield containers
    finally:
        containers.remove()


class Watch(threading.Thread):
    """Asks the engine for nothing: it is told when a worker dies, and then ends the coordinator too."""

    def __init__(self, client: docker.DockerClient, containers: WorkerContainers) -> None:
        super().__init__(name="watch-workers", daemon=True)
        self._containers = containers
        self._dead: int | None = None
        self._events: Any = client.events(
            filters={"label": f"{RUN_LABEL}={containers.run}", "event": "die"},
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
        containers, dead = self._containers, self._dead
        who = containers.coordinator if dead is None else containers.workers[dead]
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
            f"speedup over {mechanism} with {len(containers.workers)} workers failed: {name} ended ({code}): {said}",
            hint="run it again; ./lab doctor looks at memory and CPUs",
        )

    def _end_coordinator(self) -> None:
        with suppress(APIError, NotFound):
            if self._containers.coordinator is not None:
                self._containers.coordinator.kill()
