"""What a check sees of the running lab."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from docker.models.containers import Container as DockerContainer

from labctl.config.compose_file import mechanism_of
from labctl.experiments.speedup import kept
from labctl.experiments.speedup.kept import Kept
from labctl.lab import state_files
from labctl.lab.containers import PROJECT_LABEL, SERVICE_LABEL, read_in, seconds
from labctl.lab.lab import Lab
from labctl.lab.prometheus import Line, Sample
from labctl.measured import accounts, kernel_objects
from labctl.measured.kernel_objects import KernelObjects
from labctl.measured.pairs import containers_seen
from labctl.place import moved_consumers
from labctl.terminal.errors import LabError
from labctl.workshop.exercise.sees import Ledger, SeenContainer
from labctl.workshop.student.judgement import Judgement

_SPACES = ("ipc", "net", "pid", "mnt")
_NUMBER_LABEL = "com.docker.compose.container-number"
_SHORT_ID = 12
_TEXT_BYTES = 4096
_MOST_STEPS = 10_000  # Prometheus answers with 11,000 points of a series at most


class LiveLab:
    """The running lab, seen from the moment at which an exercise was started."""

    def __init__(self, lab: Lab, started_at: float, student: Callable[[], Judgement] | None = None) -> None:
        """
        :param student: runs the student's file, in a "write it yourself" exercise
        """
        self._lab = lab
        self._student = student
        self.started_at = started_at
        self.now = lab.prometheus.now()

    def query(self, expression: str) -> list[Sample]:
        """The value of every series now."""
        return self._lab.prometheus.query(expression)

    def history(self, expression: str) -> list[Line]:
        """The value of every series each second; of a long exercise, at fewer moments."""
        step_s = max(1.0, (self.now - self.started_at) / _MOST_STEPS)
        return self._lab.prometheus.query_range(expression, self.started_at, self.now, step_s)

    def containers(self) -> list[SeenContainer]:
        """Every container of the project, those of no Compose service too."""
        project = self._lab.project
        label = f"{PROJECT_LABEL}={project}"
        found = self._lab.client.containers.list(all=True, filters={"label": label}, ignore_removed=True)
        shown = containers_seen(self._lab.prometheus)
        seen = [_seen(container, project, shown) for container in found]
        return sorted(seen, key=lambda container: (container.service, container.number))

    def kernel_objects(self) -> KernelObjects:
        """As of the last scrape."""
        return kernel_objects.read(self._lab.prometheus)

    def ledger(self, mechanism: str) -> Ledger:
        """The accounts of one pair."""
        found = accounts.read(self._lab.containers(), mechanism)
        received_by: dict[str, int] = {}
        for row in found.producers:
            for label, count in row.received_by.items():
                received_by[label] = received_by.get(label, 0) + count
        return Ledger(
            sent=found.total("sent"),
            received=found.total("received"),
            lost=found.total("lost"),
            duplicated=found.total("twice"),
            in_flight=found.total("on_the_way"),
            skipped=sum(row.skipped for row in found.producers),
            received_by=received_by,
        )

    def student(self) -> Judgement:
        """The judgement of the student's file, run anew."""
        if self._student is None:
            raise LabError("nothing is to be written in this exercise", hint="./lab exercise list")
        return self._student()

    def files(self, service: str, directory: str) -> dict[str, int]:
        """The files of the first container of a service."""
        for container in self._lab.containers():
            if container.service == service:
                found = state_files.read(container.docker, directory)
                return {path: len(content) for path, content in sorted(found.items())}
        raise LabError(f"there is no container of {service}", hint="./lab status --containers shows what there is")

    def text(self, service: str, path: str) -> str | None:
        """Of the first container of a service; a file that is no text has its odd bytes replaced."""
        directory, _, name = path.rpartition("/")
        for container in self._lab.containers():
            if container.service == service:
                content = state_files.read(container.docker, directory).get(name)
                return None if content is None else content[:_TEXT_BYTES].decode("utf-8", errors="replace")
        raise LabError(f"there is no container of {service}", hint="./lab status --containers shows what there is")

    def speedups(self) -> list[Kept]:
        """Of this project."""
        return [found for found in kept.read(self._lab.project) if found.at >= self.started_at]


def _seen(container: DockerContainer, project: str, shown: Mapping[str, Mapping[str, str]]) -> SeenContainer:
    attributes: dict[str, Any] = container.attrs
    state, config = attributes["State"], attributes["Config"]
    labels = config["Labels"] or {}
    service = labels.get(SERVICE_LABEL) or attributes["Name"].lstrip("/")
    short = attributes["Id"][:_SHORT_ID]
    mechanism = mechanism_of(service) or labels.get(moved_consumers.MECHANISM_LABEL, "")
    placement = labels.get(moved_consumers.LABEL, "")
    role = "consumer" if placement else service.rpartition("-")[2] if mechanism else ""
    inodes = shown.get(short) or (_inodes(container) if state["Status"] == "running" else {})
    variables = (line.partition("=") for line in config["Env"] or [])
    return SeenContainer(
        service=service,
        number=int(labels.get(_NUMBER_LABEL, 1)),
        id=short,
        mechanism=mechanism,
        role=role,
        state=state["Status"],
        health=state.get("Health", {}).get("Status", "none"),
        exit_code=state["ExitCode"],
        oom_killed=state["OOMKilled"],
        restarts=attributes["RestartCount"],
        started_at=seconds(state["StartedAt"]),
        placement=placement,
        networks=tuple(sorted(_own(name, project) for name in attributes["NetworkSettings"]["Networks"])),
        volumes=tuple(sorted(_own(it["Name"], project) for it in attributes["Mounts"] if it["Type"] == "volume")),
        environment={name: value for name, _, value in variables if name.startswith("LAB_")},
        command=tuple(config["Cmd"] or ()),
        **{space: inodes.get(space, "") if state["Status"] == "running" else "" for space in _SPACES},
    )


def _own(name: str, project: str) -> str:
    return name.removeprefix(f"{project}_")


def _inodes(container: DockerContainer) -> dict[str, str]:
    """Of a container that shows no metrics: as its own processes see them."""
    try:
        ran = read_in(container, ["readlink", *(f"/proc/self/ns/{space}" for space in _SPACES)])
    except LabError:  # it has ended since it was listed
        return {}
    links = ran.stdout.decode().split()
    if ran.code or len(links) != len(_SPACES):
        return {}
    return {space: link.partition("[")[2].rstrip("]") for space, link in zip(_SPACES, links, strict=True)}
