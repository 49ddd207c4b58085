"""The first dashboard's large numbers: what all mechanisms together do right now."""

from __future__ import annotations

from dataclasses import dataclass

from labctl.measurements import WINDOW_S, fresh
from labctl.prometheus import Prometheus

_RATE = "sum(rate({}[" + str(WINDOW_S) + "s]))"
_TOTAL_QUERIES = {
    "pairs": "count(mechanism:ipc_messages_received:rate5s > 0) or vector(0)",
    "rate": "sum(mechanism:ipc_messages_received:rate5s)",
    "bytes_rate": _RATE.format("ipc_bytes_received_total"),
    "cpu_cores": _RATE.format("ipc_cpu_seconds_total"),
    "lost": f"sum({fresh('ipc_messages_lost_total')})",
    "skipped": f"sum({fresh('ipc_messages_skipped_total')})",
    "containers": f"count({fresh('ipc_namespace_info')})",
}


@dataclass(frozen=True)
class Totals:
    """Of all pairs. None is "not measured", which is not 0."""

    pairs: float | None = None  # of which something was received
    rate: float | None = None  # messages received per second
    bytes_rate: float | None = None  # bytes of them per second
    cpu_cores: float | None = None  # cores that producers and consumers keep busy
    lost: float | None = None  # since the lab was set up
    skipped: float | None = None  # likewise: due, and never sent
    containers: float | None = None  # that answer Prometheus


def read_totals(prometheus: Prometheus) -> Totals:
    """Ask for all of them.

    :raises PrometheusSilent: it does not answer
    """
    found = {name: prometheus.query(expression) for name, expression in _TOTAL_QUERIES.items()}
    return Totals(**{name: samples[0].value if samples else None for name, samples in found.items()})
