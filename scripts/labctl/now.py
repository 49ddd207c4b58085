"""The first dashboard's table: what every mechanism does right now, and what a message costs it."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from labctl.measurements import fresh
from labctl.prometheus import Prometheus

# Recorded by services/prometheus/rules.yml over the last seconds; the dashboards read the same.
_ROW_QUERIES = {
    "rate": "mechanism:ipc_messages_received:rate5s",
    "p50_s": "mechanism:ipc_one_way_latency_seconds:p50_5s",
    "p99_s": "mechanism:ipc_one_way_latency_seconds:p99_5s",
    "in_flight": "mechanism:ipc_messages:in_flight",
    "lost": f"sum by (mechanism) {fresh('ipc_messages_lost_total')}",
    "skipped": f"sum by (mechanism) {fresh('ipc_messages_skipped_total')}",
    "corrupt": f"sum by (mechanism) {fresh('ipc_messages_corrupt_total')}",
    "cpu_s": "mechanism:ipc_cpu_seconds_per_message:ratio_rate5s",
    "switches": "sum by (mechanism) (mechanism_kind:ipc_context_switches_per_message:ratio_rate5s)",
}
_RUNNING = f"count by (mechanism) ({fresh('ipc_load_rate')} or {fresh('ipc_messages_received_total')})"


@dataclass(frozen=True)
class Row:
    """One mechanism. None is "not measured", which is not 0."""

    mechanism: str
    running: bool = False  # whether any of its containers answers Prometheus
    rate: float | None = None  # messages received per second
    p50_s: float | None = None  # one way
    p99_s: float | None = None
    in_flight: float | None = None  # sent, and neither received nor lost; not known of a shared mailbox
    lost: float | None = None  # since the pair was created
    corrupt: float | None = None  # likewise
    skipped: float | None = None  # likewise: due, and never sent
    cpu_s: float | None = None  # of both sides, for one message
    switches: float | None = None  # of both sides, for one message
    cpus: str = ""  # on how many CPUs both sides may run: "one", "two", "3"; "one, two" where they differ


def read_rows(prometheus: Prometheus) -> list[Row]:
    """A row for every mechanism that Prometheus sees, by name.

    :raises PrometheusSilent: it does not answer
    """
    running = _by_mechanism(prometheus, _RUNNING)
    found = {name: _by_mechanism(prometheus, expression) for name, expression in _ROW_QUERIES.items()}
    cpus: dict[str, set[str]] = defaultdict(set)
    for sample in prometheus.query(f"count by (mechanism, cpus) {fresh('ipc_cpus_info')}"):
        cpus[sample.labels.get("mechanism", "")].add(sample.labels["cpus"])
    return [
        Row(
            mechanism,
            True,
            cpus=", ".join(sorted(cpus[mechanism])),
            **{name: values.get(mechanism) for name, values in found.items()},
        )
        for mechanism in sorted(running)
    ]


def _by_mechanism(prometheus: Prometheus, expression: str) -> dict[str, float]:
    return {sample.labels.get("mechanism", ""): sample.value for sample in prometheus.query(expression)}
