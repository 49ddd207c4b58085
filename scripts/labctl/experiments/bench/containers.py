"""The containers of a bench: two for each kind of sharing, an agent in each, confined as all containers of the lab are.

They are started once and sleep while another pair is measured. No pair shares more than it needs: see
`labctl.experiments.bench.cells.Place`. Bounds of memory are wider than a pair's, because a message may be 1 MiB long.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import docker
from docker.models.containers import Container as DockerContainer
from docker.types import EndpointConfig
from docker.utils.socket import frames_iter

from labctl.config.compose_file import of_every_container
from labctl.experiments.bench.cells import Place
from labctl.experiments.bench.link import Group
from labctl.lab.containers import PROJECT_LABEL, one_off_labels, remove_labelled

RUN_LABEL = "ipclab.bench"
_SHM_SIZE, _MEMORY, _PIDS = "96m", "384m", 64
_VOLUME_AT = "/channel"
_PORT = 9000
_ATTACH = {"stdin": 1, "stdout": 1, "stderr": 0, "stream": 1}
_STDOUT = 1


class BenchContainers:
    """What runs; made and removed one at a time, see docs/decisions/0011-serial-start-and-stop.md."""

    def __init__(self, client: docker.DockerClient, project: str, image: str, cpus: str) -> None:
        self.groups: dict[Place, Group] = {}
        self._client = client
        self._project = project
        self._image = image
        self._cpus = cpus
        self._run = secrets.token_hex(4)
        self._name = f"{project}-bench-{self._run}"
        self._number = 0

    def start(self, place: Place) -> Group:
        """The two containers of a place, or the one of `ALONE`."""
        sides = (Group.CONSUMER,) if place is Place.ALONE else (Group.CONSUMER, Group.PRODUCER)
        name = f"{self._name}-{place}"
        labels = {PROJECT_LABEL: self._project, RUN_LABEL: self._run}
        if place is Place.VOLUME:
            self._client.volumes.create(name, labels=labels)
        if place is Place.NETWORK:
            self._client.networks.create(name, driver="bridge", internal=True, labels=labels)
        hosts = ("bench-consumer", "bench-producer") if place is Place.NETWORK else ("127.0.0.1", "127.0.0.1")
        group = self.groups[place] = Group(f"{_VOLUME_AT}/bench-" if place is not Place.IPC else "bench-", hosts, _PORT)
        first: DockerContainer | None = None
        for side in sides:
            container = self._create(place, side, name, first)
            first = first or container
            stream = self._client.api.attach_socket(container.id, params=_ATTACH)
            container.start()
            group.add(side, _writer(stream), _lines(stream))
        return group

    def remove(self) -> None:
        """Remove whatever bears this run's label, also what the engine made while we were interrupted."""
        remove_labelled(self._client, f"{RUN_LABEL}={self._run}")

    def _create(self, place: Place, side: str, name: str, first: DockerContainer | None) -> DockerContainer:
        self._number += 1
        ipc: dict[str, Any] = {"ipc_mode": "private", "shm_size": _SHM_SIZE}
        if place is Place.IPC:
            ipc |= {"ipc_mode": "shareable"}
            if first is not None:
                ipc = {"ipc_mode": f"container:{first.id}"}
        where: dict[str, Any] = {"network_mode": "none"}
        if place is Place.VOLUME:
            where["volumes"] = {name: {"bind": _VOLUME_AT, "mode": "rw"}}
        if place is Place.NETWORK:
            endpoint = EndpointConfig(self._client.api.api_version, aliases=[f"bench-{side}"])
            where = {"network": name, "networking_config": {name: endpoint}}
        container: DockerContainer = self._client.containers.create(
            self._image,
            ["bench-agent"],
            name=f"{name}-{side}",
            stdin_open=True,
            labels={**one_off_labels(self._project, f"bench-{side}", self._number), RUN_LABEL: self._run},
            **{**of_every_container(), "mem_limit": _MEMORY, "pids_limit": _PIDS},
            cpuset_cpus=self._cpus or None,
            **ipc,
            **where,
        )
        return container


@contextmanager
def bench_containers(client: docker.DockerClient, project: str, image: str, cpus: str) -> Iterator[BenchContainers]:
    """The containers within the block. They are removed at its end, also after an error.

    :param cpus: those that they may use, as LAB_CPUS says; empty for all
    """
    containers = BenchContainers(client, project, image, cpus)
    try:
        yield containers
    finally:
        containers.remove()


def _writer(stream: Any) -> Callable[[bytes], object]:
    """The SDK gives out a file that only reads, over a Unix socket, and the socket itself over TLS or SSH."""
    connection = getattr(stream, "_sock", stream)
    send: Callable[[bytes], object] = connection.sendall
    return send


def _lines(stream: Any) -> Iterable[bytes]:
    text = b""
    for kind, part in frames_iter(stream, tty=False):
        if kind != _STDOUT:
            continue
        *lines, text = (text + part).split(b"\n")
        yield from lines


def places(wanted: Iterable[Place]) -> Sequence[Place]:
    """Each once, in the order in which they are started."""
    chosen = set(wanted)
    return [place for place in Place if place in chosen]
