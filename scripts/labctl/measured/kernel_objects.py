"""What the kernel holds for the pairs, as the exporter in their IPC namespace and the receivers show it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from labctl.lab.prometheus import Prometheus
from labctl.measured.pairs import fresh


@dataclass(frozen=True)
class Segment:
    """Shared memory: System V has a key and counts who has it attached, POSIX has a name and does not."""

    mechanism: str  # "" for an object that is none of a pair's
    owner: str  # the mechanism, or the role whose it is: responder, probe; "" for nobody of the lab
    key: str
    name: str
    uid: int
    size_bytes: int
    attachments: int | None

    @property
    def is_removed(self) -> bool:
        """Whether it lives on without its key: the exporter then says so in the key's place."""
        return self.key.startswith("removed")


@dataclass(frozen=True)
class Queue:
    """A message queue: System V limits its bytes, POSIX its messages."""

    mechanism: str
    owner: str
    key: str
    name: str
    uid: int
    messages: int | None
    bytes: int | None
    limit_messages: int | None
    limit_bytes: int | None


@dataclass(frozen=True)
class Buffer:
    """What waits in the pipes or sockets of a pair, as its consumer says, or its producer where that is silent.

    A producer's socket tells of its own side alone: see `ipclab.contract.optional_parts.HoldsBytes`.
    """

    mechanism: str
    bytes: int
    limit_bytes: int | None
    asked: str = "consumer"


@dataclass(frozen=True)
class KernelObjects:
    """All of it. None is "not measured": no pair that uses the IPC namespace runs."""

    segments: list[Segment]
    queues: list[Queue]
    buffers: list[Buffer]
    dev_shm_used_bytes: int | None
    dev_shm_limit_bytes: int | None

    def of(self, mechanism: str) -> KernelObjects:
        """The objects of one pair."""
        return KernelObjects(
            [segment for segment in self.segments if segment.mechanism == mechanism],
            [queue for queue in self.queues if queue.mechanism == mechanism],
            [buffer for buffer in self.buffers if buffer.mechanism == mechanism],
            None,
            None,
        )

    def as_json(self) -> dict[str, Any]:
        """For `status --json`."""
        return asdict(self)


_Identity = tuple[str, str, str, str, str, str]
_LABELS = ("mechanism", "key", "id", "name", "uid", "owner")


def read(prometheus: Prometheus) -> KernelObjects:
    """The objects at the last scrape, in the order of their pairs."""
    attachments = _objects(prometheus, "ipc_kernel_shm_attachments")
    segments = [
        Segment(mechanism, owner, key, name, int(uid), size, attachments.get((mechanism, key, id_, name, uid, owner)))
        for (mechanism, key, id_, name, uid, owner), size in _objects(prometheus, "ipc_kernel_shm_size_bytes").items()
    ]
    figures = [
        _objects(prometheus, f"ipc_kernel_queue_{figure}")
        for figure in ("messages", "bytes", "limit_messages", "limit_bytes")
    ]
    queues = [
        Queue(mechanism, owner, key, name, int(uid), *(found.get(identity) for found in figures))
        for identity in sorted(set().union(*figures))
        for mechanism, key, _, name, uid, owner in [identity]
    ]
    return KernelObjects(
        segments,
        queues,
        _buffers(prometheus),
        _one(prometheus, "ipc_kernel_dev_shm_used_bytes"),
        _one(prometheus, "ipc_kernel_dev_shm_limit_bytes"),
    )


def _buffers(prometheus: Prometheus) -> list[Buffer]:
    held, limits = (
        {
            (sample.labels["mechanism"], sample.labels["role"]): int(sample.value)
            for sample in prometheus.query(f"sum by (mechanism, role) {fresh(metric)}")
        }
        for metric in ("ipc_kernel_buffer_bytes", "ipc_kernel_buffer_limit_bytes")
    )
    # "consumer" comes before "producer", and what comes first stays.
    found = {
        mechanism: Buffer(mechanism, held[mechanism, role], limits.get((mechanism, role)), role)
        for mechanism, role in sorted(held, reverse=True)
    }
    return [found[mechanism] for mechanism in sorted(found)]


def _objects(prometheus: Prometheus, metric: str) -> dict[_Identity, int]:
    """The value for each object. Prometheus keeps no label that is empty."""
    found = {}
    for sample in prometheus.query(fresh(metric)):
        mechanism, key, id_, name, uid, owner = (sample.labels.get(label, "") for label in _LABELS)
        found[mechanism, key, id_, name, uid, owner] = int(sample.value)
    return dict(sorted(found.items()))


def _one(prometheus: Prometheus, metric: str) -> int | None:
    found = prometheus.query(fresh(metric))
    return int(found[0].value) if found else None
