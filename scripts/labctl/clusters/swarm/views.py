"""The pairs of the stack as they stand: where their tasks run, what moved, and which producers were heard."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import docker
from docker.models.containers import Container as DockerContainer
from docker.models.services import Service

from ipclab.accounting.ledger import LedgerError, Stream, streams_in
from labctl.clusters.swarm import nodes
from labctl.clusters.swarm.pages import Page
from labctl.config import compose_file
from labctl.lab import state_files

_LEDGERS = "/state"


@dataclass(frozen=True)
class PairView:
    """One pair. Counts are of the tasks that run now; None where nobody answers."""

    mechanism: str
    producer_on: Sequence[str]  # host names of nodes
    consumer_on: Sequence[str]
    open: bool | None  # every producer that answers has its channel
    error: str  # the errno by name that a producer without a channel met most; "" for none
    sent: int | None
    received: int | None
    lost: int | None
    skipped: int | None  # due and never sent
    epochs: Sequence[int]  # of the producers that the consumer has heard, each one's last; ns since 1970

    def as_json(self) -> dict[str, Any]:
        """For `status --json`."""
        return asdict(self)


def tasks_here(client: docker.DockerClient, services: Mapping[str, Service]) -> dict[str, DockerContainer]:
    """Service to its running container on this node, for those that have one."""
    found = {c.labels.get("com.docker.swarm.service.id"): c for c in client.containers.list(ignore_removed=True)}
    return {name: found[service.id] for name, service in services.items() if service.id in found}


def of_pairs(
    client: docker.DockerClient, services: Mapping[str, Service], pages: Mapping[str, Sequence[Page]]
) -> list[PairView]:
    """Every pair of the stack."""
    hosts = nodes.names(client)
    here = tasks_here(client, services)
    return [_pair(mechanism, services, hosts, here, pages) for mechanism in compose_file.pairs_in(services)]


def _pair(
    mechanism: str,
    services: Mapping[str, Service],
    hosts: Mapping[str, str],
    here: Mapping[str, DockerContainer],
    pages: Mapping[str, Sequence[Page]],
) -> PairView:
    consumer, producer = compose_file.services_of(mechanism)
    sender, receiver = pages[producer], pages[consumer]
    is_open = all(page.total("ipc_channel_open") for page in sender) if sender else None
    errors = [errno for page in sender for errno in page.errors()]
    return PairView(
        mechanism=mechanism,
        producer_on=_nodes(services[producer], hosts),
        consumer_on=_nodes(services[consumer], hosts),
        open=is_open,
        error=errors[0] if errors and is_open is False else "",
        sent=_sum(sender, "ipc_messages_sent_total"),
        received=_sum(receiver, "ipc_messages_received_total"),
        lost=_sum(receiver, "ipc_messages_lost_total"),
        skipped=_sum(sender, "ipc_messages_skipped_total"),
        epochs=sorted(stream.epoch for stream in _streams(here.get(consumer))),
    )


def _nodes(service: Service, hosts: Mapping[str, str]) -> list[str]:
    """Where the Swarm wants its tasks and has placed them. A task that waits for a node is nowhere."""
    tasks = service.tasks({"desired-state": "running"})
    return sorted({hosts.get(task["NodeID"], "?") for task in tasks if task.get("NodeID")})


def _sum(side: Sequence[Page], series: str) -> int | None:
    return sum(page.total(series) for page in side) if side else None


def _streams(consumer: DockerContainer | None) -> list[Stream]:
    """From its ledger; none if its ledger is shared."""
    files = state_files.read(consumer, _LEDGERS) if consumer else {}
    for content in files.values():
        try:
            return list(streams_in(content).values())
        except LedgerError:
            continue
    return []
