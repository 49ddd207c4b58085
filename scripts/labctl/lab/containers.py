"""The lab's containers as the engine sees them, found by Compose's labels and never by name."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, TypeVar

import docker
from docker.errors import APIError, NotFound
from docker.models.containers import Container as DockerContainer

from labctl.config.compose_file import mechanism_of
from labctl.terminal.errors import LabError
from labctl.terminal.printing import one_line
from labctl.terminal.waiting import wait_until

PROJECT_LABEL = "com.docker.compose.project"
# Compose labels the images it builds with the project as well, and whatever else is run from such an image
# inherits that. Only a container that Compose made has a number.
_NUMBER_LABEL = "com.docker.compose.container-number"
SERVICE_LABEL = "com.docker.compose.service"
_ONE_OFF_LABEL = "com.docker.compose.oneoff"  # Compose leaves those alone that it is not asked to run
_AT_ONCE = 8
_SHORT_ID = 12
_MOST_DIGITS = 10  # of a container's number
_GAVE_UP = "unable to freeze"  # runc, about the freezer of cgroups(7)
_FREEZES_WITHIN_S = 30.0
_READS_AT_MOST = 3

T = TypeVar("T")


@dataclass(frozen=True)
class Container:
    """One container, as it was when it was looked at."""

    docker: DockerContainer
    service: str
    number: int  # of those of its service, from 1
    id: str  # short: what the container itself takes for its host name
    state: str  # created, running, restarting, exited, paused, dead
    health: str  # healthy, unhealthy, starting; "none" without a check
    exit_code: int
    oom_killed: bool
    restarts: int
    started_at: float  # seconds since 1970; 0 if it never was
    joins_ipc_of: str | None  # short id of the container whose IPC namespace it was started in
    environment: dict[str, str]

    @property
    def running(self) -> bool:
        """Whether its processes run now."""
        return self.state == "running"

    def state_in_words(self) -> str:
        """Its state, and why it ended if it did."""
        if self.oom_killed:
            return f"{self.state}, killed: out of memory"
        if self.state in ("exited", "restarting", "dead"):
            return f"{self.state}, exit code {self.exit_code}"
        return self.state

    def describe(self) -> str:
        """Its state and health in a few words."""
        health = "" if self.health == "none" else f", {self.health}"
        return self.state_in_words() + health + (f", restarted {self.restarts} times" if self.restarts else "")

    @property
    def mechanism(self) -> str | None:
        """The mechanism it is an endpoint of."""
        return mechanism_of(self.service)

    @property
    def label(self) -> str:
        """What people call it: the service, and its number where it is not the first."""
        return self.service if self.number == 1 else f"{self.service} {self.number}"

    @property
    def is_one_off(self) -> bool:
        """Whether it is the project's without being in compose.yaml: see `one_off_labels`."""
        return bool(self.docker.labels.get(_ONE_OFF_LABEL) == "True")

    @property
    def is_producer(self) -> bool:
        """Whether it sends."""
        return self.mechanism is not None and self.service.endswith("-producer")


def of_project(client: docker.DockerClient, project: str) -> list[Container]:
    """Every container of the project in any state, by service."""
    found = together(_inspected, listed(client, project))
    return sorted((container for container in found if container), key=lambda c: (c.service, c.number))


def of_service(client: docker.DockerClient, project: str, service: str) -> Container | None:
    """The first container of a service, which compose.yaml has, in any state; the engine is asked for no other."""
    label = [f"{PROJECT_LABEL}={project}", f"{SERVICE_LABEL}={service}", f"{_NUMBER_LABEL}=1"]
    for container in client.containers.list(all=True, filters={"label": label}, sparse=True):
        found = _inspected(container)
        if found and not found.is_one_off:
            return found
    return None


def listed(client: docker.DockerClient, project: str) -> list[DockerContainer]:
    """Every container of the project in any state, with what the engine's list tells and no more."""
    label = [f"{PROJECT_LABEL}={project}", _NUMBER_LABEL]
    found: list[DockerContainer] = client.containers.list(all=True, filters={"label": label}, sparse=True)
    return found


def one_off_labels(project: str, service: str, number: int) -> dict[str, str]:
    """The labels of a container that is the project's, without being in compose.yaml, for the time it runs."""
    return {PROJECT_LABEL: project, SERVICE_LABEL: service, _NUMBER_LABEL: str(number), _ONE_OFF_LABEL: "True"}


def of_pair(containers: Iterable[Container], mechanism: str) -> list[Container]:
    """The endpoints of one pair; several of a side where it was scaled."""
    return [container for container in containers if container.mechanism == mechanism]


@dataclass(frozen=True)
class Ran:
    """A command that ended in a container."""

    code: int
    stdout: bytes
    stderr: bytes

    @property
    def said(self) -> str:
        """Why it failed, in one line."""
        return one_line(self.stderr or self.stdout)

    def answer(self) -> dict[str, Any]:
        """The JSON object that it printed.

        :raises LabError: it printed something else, or the engine lost it
        """
        try:
            found: dict[str, Any] = json.loads(self.stdout)
        except ValueError as error:
            raise LabError(
                f"invalid output of a command in a container: expected JSON, got {one_line(self.stdout) or 'nothing'}",
                hint="run it again: a busy engine can lose what docker exec printed (moby/moby#27289)",
            ) from error
        return found


class NotThere(LabError):
    """A container that something was to be done to was removed."""


def run_in(
    container: DockerContainer, command: Sequence[str], environment: Mapping[str, str] | None = None, user: str = ""
) -> Ran:
    """Run a command in a container and wait for its end; `user` where it is not the container's.

    :raises NotThere: the container was removed
    :raises LabError: it does not run, or is paused
    """
    try:
        code, streams = container.exec_run(list(command), environment=dict(environment or {}), demux=True, user=user)
    except APIError as error:
        if error.status_code not in (HTTPStatus.NOT_FOUND, HTTPStatus.CONFLICT):
            raise
        hint = "./lab status --containers shows what runs; ./lab up starts what is missing"
        try:
            container.reload()
        except NotFound as gone:
            raise NotThere(f"{container.name} was removed", hint=hint) from gone
        raise LabError(f"{container.name} {_what_happened_to(container)}", hint=hint) from error
    stdout, stderr = (stream or b"" for stream in streams)
    return Ran(int(code), stdout, stderr)


def read_in(container: DockerContainer, command: Sequence[str]) -> Ran:
    """Run a command that only reads and prints: see `read_again`.

    :raises LabError: as for `run_in`
    """
    return read_again(lambda: run_in(container, command))


def read_again(run: Callable[[], Ran]) -> Ran:
    """Run what only reads and prints, and again where the engine lost its output: see `Ran.answer`."""
    for _ in range(_READS_AT_MOST - 1):
        ran = run()
        if ran.code or ran.stdout:
            return ran
    return run()


def _what_happened_to(container: DockerContainer) -> str:
    """Why it runs no command, as it was just inspected."""
    state = container.attrs["State"]
    match state["Status"]:
        case "paused":
            return "is paused"
        case "exited" | "dead":
            return f"has ended with exit code {state['ExitCode']}"
        case "running":
            return "was restarted at this moment"
        case other:
            return f"is {other}"


def together(call: Callable[[DockerContainer], T], items: Iterable[DockerContainer]) -> list[T]:
    """`call` for all of them at once: each waits for the engine, not for us."""
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return list(pool.map(call, items))


def _inspected(container: DockerContainer) -> Container | None:
    """The whole truth about a listed container; None if it was removed meanwhile."""
    try:
        container.reload()
    except NotFound:
        return None
    attributes = container.attrs
    state = attributes["State"]
    ipc_mode = attributes["HostConfig"]["IpcMode"]
    kind, _, target = ipc_mode.partition(":")
    return Container(
        docker=container,
        service=container.labels.get(SERVICE_LABEL, ""),
        number=number_in(container.labels),
        id=attributes["Id"][:_SHORT_ID],
        state=state["Status"],
        health=state.get("Health", {}).get("Status", "none"),
        exit_code=state["ExitCode"],
        oom_killed=state["OOMKilled"],
        restarts=attributes["RestartCount"],
        started_at=seconds(state["StartedAt"]),
        joins_ipc_of=target[:_SHORT_ID] if kind == "container" else None,
        environment=dict(line.split("=", 1) for line in attributes["Config"]["Env"] or [] if "=" in line),
    )


def number_in(labels: Mapping[str, str]) -> int:
    """Which of its service a container is; 1 where its label is no number, as another hand may have written it."""
    text = labels.get(_NUMBER_LABEL, "")
    return int(text) if text.isascii() and text.isdecimal() and len(text) < _MOST_DIGITS else 1


def seconds(timestamp: str) -> float:
    """Docker's RFC 3339 time with nanoseconds, as seconds since 1970; year 1 means never."""
    if timestamp.startswith("0001-"):
        return 0.0
    head, _, fraction = timestamp.rstrip("Z").partition(".")
    return datetime.fromisoformat(f"{head}+00:00").timestamp() + float(f"0.{fraction or 0}")


_GRACE_S = 3  # compose.yaml's stop_grace_period


def stop_and_remove(container: DockerContainer) -> None:
    """With its anonymous volumes, whatever state it is in."""
    with suppress(NotFound):
        with suppress(APIError):  # paused or dead: it cannot be stopped, and is removed by force
            container.stop(timeout=_GRACE_S)
        container.remove(v=True, force=True)


def require_running(found: Sequence[Container], project: str) -> None:
    """Refuse to go on without a running container.

    :raises LabError: none runs
    """
    if not any(container.running for container in found):
        stopped = f", {len(found)} of its containers are stopped" if found else ""
        raise LabError(f"{project} is not running{stopped}", hint="./lab up starts it")


def mechanisms_of(found: Sequence[Container]) -> list[str]:
    """The pairs that have containers, whatever their state."""
    return sorted({container.mechanism for container in found if container.mechanism})


def remove_labelled(client: docker.DockerClient, label: str) -> None:
    """Remove the containers, networks and volumes that bear a label ("name=value"); what is gone is no error."""
    found = {"label": label}
    for container in client.containers.list(all=True, filters=found, sparse=True):
        with suppress(NotFound):
            container.remove(v=True, force=True)
    for network in client.networks.list(filters=found):
        with suppress(NotFound):
            network.remove()
    for volume in client.volumes.list(filters=found):
        with suppress(NotFound):
            volume.remove(force=True)


def freeze(container: DockerContainer) -> None:
    """Pause it. The runtime gives up where a process of it is slow to stop, as on a busy machine, and is asked again.

    :raises APIError: it gave up to the end, or the engine refuses for another reason
    """
    refused: list[APIError] = []

    def frozen() -> bool:
        try:
            container.pause()
        except APIError as error:
            if _GAVE_UP not in str(error):
                raise
            refused.append(error)
            return False
        return True

    if not wait_until(frozen, _FREEZES_WITHIN_S):
        raise refused[-1]
