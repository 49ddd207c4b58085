"""The consumers that `./lab place` moved: where they are now, found by their label on both engines."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import docker
import requests
from docker.errors import DockerException
from docker.models.containers import Container as DockerContainer

from ipclab import registry
from ipclab.channel import Sharing
from ipclab.metrics import Role
from ipclab.placement import SHARED, Placement
from labctl import dial, pairs
from labctl.containers import PROJECT_LABEL, Container
from labctl.errors import LabError
from labctl.measurements import WINDOW_S, PairMeasures, fresh
from labctl.prometheus import Prometheus

LABEL = "ipclab.placement"
_MECHANISM_LABEL = "ipclab.mechanism"


@dataclass(frozen=True)
class Placed:
    """One consumer that is not where compose.yaml has it."""

    docker: DockerContainer
    mechanism: str
    placement: Placement
    state: str


@dataclass(frozen=True)
class Finding:
    """What came of it. `messages_per_s` is what arrives there, None if it is not measured."""

    mechanism: str
    placement: Placement
    state: str
    shares: Sequence[str]
    needs: Sequence[str]
    messages_per_s: float | None
    producer_errors: Sequence[str]  # of the last seconds, errno by name
    ipc_namespaces: Mapping[str, str]  # inode by role, as both sides show it

    def as_json(self) -> dict[str, Any]:
        """For `status --json`."""
        return asdict(self)

    def __str__(self) -> str:
        """One line."""
        where = f"the consumer of {self.mechanism} is at {self.placement} ({self.state})"
        missing = " and ".join(name for name in self.needs if name not in self.shares)
        inodes = [self.ipc_namespaces.get(str(role), "not shown") for role in (Role.CONSUMER, Role.PRODUCER)]
        which = f" ({inodes[0]}, the producer's is {inodes[1]})" if missing == Sharing.IPC_NAMESPACE else ""
        if self.messages_per_s:
            return f"placed: {where}: {self.messages_per_s:,.0f} messages/s arrive there"
        if self.messages_per_s is None:
            return f"placed: {where}: not measured, Prometheus has seen nothing of it in the last seconds"
        said = f"the producer gets {', '.join(self.producer_errors)}" if self.producer_errors else _SILENT
        if not missing:
            return f"placed: {where}: nothing arrives; {said}"
        needs = f"{self.mechanism} needs the same {missing}, and there it has another one{which}"
        return (
            f"placed: {where}, dark: {needs}; {said} "
            f"(hint: ./lab matrix --explain {self.mechanism} {self.placement}; ./lab place {self.mechanism} --back)"
        )


_SILENT = "the producer meets no error: what it opened before still has room"


def labels(project: str, mechanism: str, placement: Placement) -> dict[str, str]:
    """The labels by which it is found again."""
    return {PROJECT_LABEL: project, LABEL: str(placement), _MECHANISM_LABEL: mechanism}


def service_of(mechanism: str) -> str:
    """What takes the place of a Compose service's name; no endpoint's service is called so."""
    return f"{mechanism.replace('_', '-')}-placed"


def second_engine(found: Sequence[Container]) -> docker.DockerClient | None:
    """The engine of the second host; None if there is none that runs."""
    hosts = [c for c in found if c.service == pairs.SECOND_HOST and c.running]
    return dial.client(dial.into(hosts[0].id)) if hosts else None


def all_placed(client: docker.DockerClient, found: Sequence[Container], project: str) -> list[Placed]:
    """On both engines, by mechanism.

    :raises LabError: the second engine does not answer
    """
    placed = _on(client, project)
    if other := second_engine(found):
        try:
            placed += _on(other, project)
        except (DockerException, requests.RequestException, OSError) as error:
            reason = " ".join(str(error).split())[:150]
            raise LabError(
                f"the second engine does not answer: {reason}", hint="./lab hosts down removes it"
            ) from error
    return sorted(placed, key=lambda it: it.mechanism)


def _on(client: docker.DockerClient, project: str) -> list[Placed]:
    wanted = {"label": [f"{PROJECT_LABEL}={project}", LABEL]}
    return [
        Placed(c, of["Labels"][_MECHANISM_LABEL], Placement(of["Labels"][LABEL]), str(of["State"]))
        for c in client.containers.list(all=True, filters=wanted, sparse=True)
        for of in [c.attrs]
    ]


def findings(prometheus: Prometheus, placed: Sequence[Placed], measured: Sequence[PairMeasures]) -> list[Finding]:
    """What is measured of each."""
    rates = {pair.mechanism: pair.rate for pair in measured}
    return [
        Finding(
            it.mechanism,
            it.placement,
            it.state,
            sorted(SHARED[it.placement]),
            sorted(registry.load(it.mechanism).traits.requires),
            rates.get(it.mechanism),
            errors_of(prometheus, it.mechanism),
            _ipc_namespaces(prometheus, it.mechanism),
        )
        for it in placed
    ]


def errors_of(prometheus: Prometheus, mechanism: str) -> list[str]:
    """The errnos that the pair's producer got in the last seconds."""
    counter = f"ipc_send_errors_total{{mechanism='{mechanism}'}}"
    return sorted(
        sample.labels["errno"] for sample in prometheus.query(f"sum by (errno) (increase({counter}[{WINDOW_S}s])) > 0")
    )


def _ipc_namespaces(prometheus: Prometheus, mechanism: str) -> dict[str, str]:
    shown = prometheus.query(fresh(f"ipc_namespace_info{{mechanism='{mechanism}'}}"))
    return {sample.labels["role"]: sample.labels["ipc"] for sample in shown}
