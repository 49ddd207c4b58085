"""The pieces that queries are put together from. Series and labels are those of `ipclab.metrics.definitions` and of
rules.yml."""

from __future__ import annotations

# What the window of a rate is: at least four scrapes, and never less than the distance of two points.
WINDOW = "[$__rate_interval]"
# A cell of a heatmap is an octave, of the four buckets that there are of each: 2**10 to 2**34 ns, and the rest.
_OCTAVES = [*(repr((1 << bits) / 1e9) for bits in range(10, 35)), "+Inf"]
_OCTAVE = 'le=~"' + "|".join(_OCTAVES).replace(".", r"\\.").replace("+", r"\\+") + '"'


def rate(series: str, by: str = "mechanism", where: str = "") -> str:
    """How fast a counter grows, a second."""
    return f"sum by ({by}) (rate({_of(series, where)}{WINDOW}))"


def quantile(share: float, by: str = "mechanism", where: str = "") -> str:
    """The time within which this share of the messages arrived; no message, no time: the comparison drops the NaN."""
    return f"histogram_quantile({share}, {buckets(f'{by}, le', where)}) >= 0"


def median(where: str = "") -> str:
    """The median of each mechanism: over a point, that of the medians that a rule computes of every 5 s anyway.

    Of the buckets of all mechanisms, Prometheus would need a hundred times as long.
    """
    return f"quantile_over_time(0.5, {_of('mechanism:ipc_one_way_latency_seconds:p50_5s', where)}{WINDOW})"


def slowest(where: str = "") -> str:
    """The p99 of each mechanism: over a point, the worst of those that a rule computes of every 5 s anyway."""
    return f"max_over_time({_of('mechanism:ipc_one_way_latency_seconds:p99_5s', where)}{WINDOW})"


def octaves(by: str = "le", where: str = "") -> str:
    """Messages per second, by how long they took, for a heatmap: what all buckets cost, a screen could not show."""
    return buckets(by, f"{where},{_OCTAVE}" if where else _OCTAVE)


def buckets(by: str = "le", where: str = "") -> str:
    """Messages per second, by how long they took."""
    return rate("ipc_one_way_latency_seconds_bucket", by, where)


def per_message(series: str, by: str = "", where: str = "") -> str:
    """What grows for each message received, of each mechanism; `by` names further labels."""
    messages = f"{rate('ipc_messages_received_total', where=where)} > 0"
    if not by:
        return f"{rate(series, where=where)} / ({messages})"
    return f"{rate(series, f'mechanism, {by}', where)} / on (mechanism) group_left () ({messages})"


def total(series: str, by: str = "mechanism", where: str = "") -> str:
    """A value now, of all containers together."""
    return f"sum by ({by}) ({_of(series, where)})"


def largest(series: str, by: str = "mechanism", where: str = "") -> str:
    """A value now of which every container has the same; of a recorded series, whose name would be a label too."""
    return f"max by ({by}) ({_of(series, where)})"


def any_of(mechanisms: list[str]) -> str:
    """The matcher of these mechanisms."""
    return f'mechanism=~"{"|".join(mechanisms)}"'


def with_container(series: str, where: str = "") -> str:
    """Each series with the label `container`, the id that `docker ps` shows."""
    return f"{_of(series, where)} * on (instance) group_left (container) {_of('ipc_namespace_info', where)}"


def _of(series: str, where: str) -> str:
    return f"{series}{{{where}}}" if where else series
