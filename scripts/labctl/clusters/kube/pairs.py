"""The pairs in their pods: what both sides share, and what moved."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from labctl.clusters.kube.containers import Manifest
from labctl.clusters.kube.observed import Side, side
from labctl.clusters.kube.podman import Cluster


@dataclass(frozen=True)
class PairView:
    """One pair. None where a side does not answer."""

    mechanism: str
    consumer_pod: str
    producer_pod: str
    consumer: Side | None
    producer: Side | None

    @property
    def same_ipc_namespace(self) -> bool | None:
        """Whether both sides have one."""
        return self.consumer.ipc_namespace == self.producer.ipc_namespace if self.consumer and self.producer else None

    @property
    def same_dev_shm(self) -> bool | None:
        """Whether one file system is mounted at /dev/shm for both."""
        return self.consumer.dev_shm == self.producer.dev_shm if self.consumer and self.producer else None

    @property
    def objects(self) -> list[str]:
        """The kernel's objects that both sides see."""
        if not self.consumer or not self.producer:
            return []
        # The same key in two namespaces, or the same name in two file systems, is two objects.
        seen = [name for name in self.consumer.objects if name in self.producer.objects]
        return [name for name in seen if (self.same_dev_shm if "/shm/" in name else self.same_ipc_namespace)]

    @property
    def open(self) -> bool | None:
        """Whether the producer has its channel."""
        return bool(self.producer.total("ipc_channel_open")) if self.producer else None

    @property
    def error(self) -> str:
        """The errno by name that a producer without a channel met most; "" for none."""
        errors = self.producer.errors() if self.producer and not self.open else []
        return errors[0] if errors else ""

    @property
    def sent(self) -> int | None:
        """Messages that the channel took."""
        return self.producer.total("ipc_messages_sent_total") if self.producer else None

    @property
    def received(self) -> int | None:
        """Messages that arrived."""
        return self.consumer.total("ipc_messages_received_total") if self.consumer else None

    def as_json(self) -> dict[str, Any]:
        """For `status --json`."""
        return {
            "mechanism": self.mechanism,
            "pods": sorted({self.consumer_pod, self.producer_pod}),
            "same_ipc_namespace": self.same_ipc_namespace,
            "same_dev_shm": self.same_dev_shm,
            "objects_of_both": self.objects,
            "open": self.open,
            "error": self.error or None,
            "sent": self.sent,
            "received": self.received,
            "consumer": self.consumer.as_json() if self.consumer else None,
            "producer": self.producer.as_json() if self.producer else None,
        }


def of_cluster(cluster: Cluster, pods: Sequence[Manifest]) -> list[PairView]:
    """Every pair that was played. The consumer is asked first: its producer has then sent at least as much."""
    return [
        PairView(
            consumer[1]["args"][1],
            consumer[0]["metadata"]["name"],
            producer[0]["metadata"]["name"],
            side(cluster, *consumer),
            side(cluster, *producer),
        )
        for consumer, producer in _sides(pods)
    ]


_Place = tuple[Manifest, Manifest]


def _sides(pods: Sequence[Manifest]) -> Iterator[tuple[_Place, _Place]]:
    """Consumer and producer, each with its pod."""
    waiting: dict[str, _Place] = {}
    for pod in pods:
        for container in pod["spec"]["containers"]:
            match container["args"]:
                case ["consumer", mechanism, *_]:
                    waiting[mechanism] = pod, container
                case ["producer", mechanism, *_] if mechanism in waiting:
                    yield waiting.pop(mechanism), (pod, container)
