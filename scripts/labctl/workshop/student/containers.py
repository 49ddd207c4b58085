"""The containers of a "write it yourself" exercise: the student's own, and those of the lab's end.

They share a volume and nothing else: no network, no IPC namespace, no process. They are confined as compose.yaml
confines all containers of ours, and beyond that to one CPU and to files of `_MOST_FILE_BYTES`, so no program of a
student takes the lab's machine away. Prometheus does not scrape them, because their counts are no pair's.
See docs/decisions/0054-student-containers.md.
"""

from __future__ import annotations

import io
import tarfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import docker
from docker.errors import NotFound
from docker.models.containers import Container as DockerContainer
from docker.types import Ulimit

from labctl.config.compose_file import of_every_container
from labctl.lab.containers import PROJECT_LABEL, one_off_labels
from labctl.workshop.student.program import Program

LABEL = "ipclab.exercise"  # of all that an exercise starts: the name of its folder
CHANNEL = "/channel"
STATE = "/state"
PRODUCER, CONSUMER, PEER, LEDGER = "student-producer", "student-consumer", "student-peer", "student-ledger"
RACERS = ("student-racer-1", "student-racer-2")
SERVICES = (PRODUCER, CONSUMER, PEER, LEDGER, *RACERS)
_OWNER = 10001  # the user of services/Dockerfile
_ONE_CPU = 1_000_000_000
_MOST_FILE_BYTES = 16 << 20  # RLIMIT_FSIZE, setrlimit(2): more is SIGXFSZ, EFBIG


class StudentContainers:
    """Made and removed one at a time, see docs/decisions/0011-serial-start-and-stop.md."""

    def __init__(self, client: docker.DockerClient, project: str, image: str, exercise: str) -> None:
        self._client = client
        self._project = project
        self._image = image
        self._exercise = exercise
        self._volume = f"{project}-{exercise}"

    def student(
        self, service: str, program: Program, arguments: Sequence[str], environment: Mapping[str, str] | None = None
    ) -> DockerContainer:
        """The container that will run the student's program; not started yet."""
        container = self._create(service, program.command, arguments, environment or {})
        _put_program(container, program)
        return container

    def lab_end(
        self,
        service: str,
        arguments: Sequence[str],
        environment: Mapping[str, str] | None = None,
        program: Program | None = None,
    ) -> DockerContainer:
        """A container of the lab's own end, `python -m ipclab ARGUMENTS`; not started yet.

        :param program: the student's file, where the lab's end calls it
        """
        container = self._create(service, None, arguments, environment or {})
        if program:
            _put_program(container, program)
        return container

    def remove(self) -> None:
        """Remove whatever this exercise started, also what the engine made while we were interrupted."""
        label = {"label": [f"{PROJECT_LABEL}={self._project}", f"{LABEL}={self._exercise}"]}
        for container in self._client.containers.list(all=True, filters=label, sparse=True):
            with suppress(NotFound):
                container.remove(v=True, force=True)
        for volume in self._client.volumes.list(filters=label):
            with suppress(NotFound):
                volume.remove(force=True)

    def _create(
        self, service: str, entrypoint: Sequence[str] | None, arguments: Sequence[str], environment: Mapping[str, str]
    ) -> DockerContainer:
        labels = {**one_off_labels(self._project, service, 1), LABEL: self._exercise}
        volume_labels = {PROJECT_LABEL: self._project, LABEL: self._exercise}
        self._client.volumes.create(self._volume, labels=volume_labels)  # one of that name stays as it is
        more: dict[str, Any] = {"entrypoint": list(entrypoint)} if entrypoint else {}
        container: DockerContainer = self._client.containers.create(
            self._image,
            list(arguments),
            name=f"{self._project}-{service}-{self._exercise[:2]}",
            labels=labels,
            environment=dict(environment),
            volumes={self._volume: {"bind": CHANNEL, "mode": "rw"}},
            network_mode="none",
            ipc_mode="private",
            nano_cpus=_ONE_CPU,
            ulimits=[Ulimit(name="fsize", soft=_MOST_FILE_BYTES, hard=_MOST_FILE_BYTES)],
            **of_every_container(),
            **more,
        )
        return container


def _put_program(container: DockerContainer, program: Program) -> None:
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo(program.name)
        member.size, member.mode, member.uid, member.gid = len(program.content), 0o755, _OWNER, _OWNER
        tar.addfile(member, io.BytesIO(program.content))
    container.put_archive(program.folder, archive.getvalue())
