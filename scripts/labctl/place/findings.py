"""The findings about a moved consumer: messages that arrive, or the missing share and the producer's errnos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ipclab import mechanisms
from ipclab.contract.channel import Sharing
from ipclab.contract.errors import FULL
from ipclab.matrix.placement import SHARED, Placement
from ipclab.metrics.definitions import Role
from labctl.lab.prometheus import Prometheus, Sample
from labctl.measured.pairs import SETTLED_AFTER_S, WINDOW_S, PairMeasures, fresh, measure
from labctl.place.moved_consumers import Placed


@dataclass(frozen=True)
class Finding:
    """The state of one moved consumer. `messages_per_s` is the rate that arrives, None if it is not measured."""

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
        state = "" if self.state == "running" else f" ({self.state})"
        where = f"the consumer of {self.mechanism} is at {self.placement}{state}"
        missing = " and ".join(name for name in self.needs if name not in self.shares)
        if self.messages_per_s:
            return f"placed: {where}: {self.messages_per_s:,.0f} messages/s arrive"
        if self.messages_per_s is None:
            return f"placed: {where}: not measured: Prometheus has no sample of the last seconds"
        said = self._of_the_producer()
        if not missing:
            return f"placed: {where}: nothing arrives; {said}"
        needs = f"{self.mechanism} needs the producer's {missing}{self._which(missing)}"
        return (
            f"placed: {where} and receives nothing: {needs}; {said} "
            f"(hint: ./lab matrix --explain {self.mechanism} {self.placement}; ./lab place {self.mechanism} --back)"
        )

    def _of_the_producer(self) -> str:
        errnos = [error for error in self.producer_errors if error != FULL]
        full = ["finds its channel full"] if FULL in self.producer_errors else []
        gets = [f"gets {', '.join(errnos)}"] if errnos else []
        return f"the producer {' and '.join(gets + full)}" if gets or full else _SILENT

    def _which(self, missing: str) -> str:
        consumers, producers = (self.ipc_namespaces.get(role, "not shown") for role in (Role.CONSUMER, Role.PRODUCER))
        return {
            Sharing.IPC_NAMESPACE: f" ({consumers} ≠ {producers})",
            Sharing.NETWORK: " (the receiver listens only on the network of the pair)",
        }.get(Sharing(missing), "")


_SILENT = "the producer reports no error yet, because its channel still has room"


def findings(prometheus: Prometheus, placed: Sequence[Placed], measured: Sequence[PairMeasures]) -> list[Finding]:
    """What is measured of each."""
    rates = {pair.mechanism: pair.rate for pair in measured}
    return [
        Finding(
            it.mechanism,
            it.placement,
            it.state,
            sorted(SHARED[it.placement]),
            sorted(mechanisms.load(it.mechanism).traits.requires),
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


def consumers_of(prometheus: Prometheus, mechanism: str) -> set[str]:
    """The containers in which Prometheus sees a consumer of the pair now, as each calls itself."""
    return {sample.labels["container"] for sample in _namespaces(prometheus, mechanism) if _is_consumer(sample)}


def is_measured(prometheus: Prometheus, mechanism: str, left: set[str]) -> bool:
    """The consumer over there, no longer the one before, was seen for as long as the recorded rate looks back."""
    now = f"ipc_messages_received_total{{mechanism='{mechanism}'}}"
    if consumers_of(prometheus, mechanism) & left:
        return False
    if not prometheus.query(f"{fresh(now)} and {now} offset {SETTLED_AFTER_S}s"):
        return False
    (pair,) = measure(prometheus, [mechanism])  # many questions, and this is asked again and again: so it comes last
    return bool(pair.rate)


def is_dark(prometheus: Prometheus, mechanism: str, left: set[str]) -> bool:
    """The producer gets errors, and the consumer over there, no longer the one before, is seen to receive nothing."""
    seen = consumers_of(prometheus, mechanism)
    (pair,) = measure(prometheus, [mechanism])
    return bool(seen) and not seen & left and bool(errors_of(prometheus, mechanism)) and pair.rate == 0


def _ipc_namespaces(prometheus: Prometheus, mechanism: str) -> dict[str, str]:
    return {sample.labels["role"]: sample.labels["ipc"] for sample in _namespaces(prometheus, mechanism)}


def _namespaces(prometheus: Prometheus, mechanism: str) -> list[Sample]:
    return prometheus.query(fresh(f"ipc_namespace_info{{mechanism='{mechanism}'}}"))


def _is_consumer(sample: Sample) -> bool:
    return sample.labels["role"] == Role.CONSUMER
