"""What the containers cost beside the messages: the shares of a core, by part, as Prometheus has them."""

from __future__ import annotations

from collections.abc import Mapping

from labctl.lab.prometheus import Prometheus

WINDOW_S = 60  # a health check is seldom: a shorter window has none, or too many
PARTS = {
    "page": "metrics pages",
    "processes": "health checks and other processes",
    "loop": "loops of holder, exporter, responder and probes",
    "threads": "other threads",
}


def read(prometheus: Prometheus) -> dict[str, float]:
    """Part to the share of one core, of all containers of the lab's image; empty where nothing is measured."""
    found = {
        sample.labels.get("part", ""): sample.value
        for sample in prometheus.query(f"sum by (part) (rate(ipc_fixed_cpu_seconds_total[{WINDOW_S}s]))")
    }
    return {part: found[part] for part in PARTS if part in found}


def lines(parts: Mapping[str, float]) -> list[str]:
    """One line of all parts; none where nothing is measured."""
    if not parts:
        return []
    words = ", ".join(f"{PARTS[part]} {share * 100:.1f}" for part, share in parts.items())
    return [f"Fixed cost of all containers but Prometheus, % of a core: {sum(parts.values()) * 100:.1f} ({words})."]
