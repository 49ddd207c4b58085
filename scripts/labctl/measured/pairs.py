"""The measurements of each pair in Prometheus; they are also the table and the large numbers of the first dashboard.

Counters are totals since the pair was created. Every query sums over the series of a mechanism, so that several
producers count together. A container that comes back under another address begins a new series and goes on
counting where it was, so only what was scraped just now may be added up.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ipclab.runtime.overrides import Load
from labctl.lab.prometheus import Prometheus
from labctl.measured import counts

WINDOW_S = 5  # what services/prometheus/rules.yml computes rates and latencies over
# So long after a change no recorded figure knows of what was before: the window, a scrape and an evaluation.
SETTLED_AFTER_S = WINDOW_S + 2


def fresh(metric: str) -> str:
    """The series of `metric` whose targets answer.

    An instant vector leaves out what Prometheus saw disappear, but takes what it did not see, because it was
    itself restarted, for present for five minutes. The range leaves that out.
    """
    return f"({metric} and last_over_time({metric}[{WINDOW_S}s]))"


def containers_seen(prometheus: Prometheus) -> dict[str, dict[str, str]]:
    """The containers that are scraped now, by their short ID, with the inodes of their namespaces."""
    return {sample.labels["container"]: sample.labels for sample in prometheus.query(fresh("ipc_namespace_info"))}


_LOAD = {"rate": "ipc_load_rate", "size_bytes": "ipc_message_size_bytes", "burst": "ipc_load_burst"}
_GAUGES = {
    "burst": f"max by (mechanism) {fresh('ipc_load_burst')}",
    "size_bytes": f"max by (mechanism) {fresh('ipc_message_size_bytes')}",
    "load_rate": f"sum by (mechanism) {fresh('ipc_load_rate')}",
}
_RECEIVED = f"sum by (mechanism) {fresh('ipc_messages_received_total')}"
# Recorded by services/prometheus/rules.yml, where the dashboard reads them as well.
_ESTIMATES = {"in_flight": "mechanism:ipc_messages:in_flight"}
_RECORDED = {
    "rate": "mechanism:ipc_messages_received:rate5s",
    "one_way_p50_seconds": "mechanism:ipc_one_way_latency_seconds:p50_5s",
    "one_way_p99_seconds": "mechanism:ipc_one_way_latency_seconds:p99_5s",
    "cpu_seconds_per_message": "mechanism:ipc_cpu_seconds_per_message:ratio_rate5s",
    "context_switches_per_message": "sum by (mechanism) (mechanism_kind:ipc_context_switches_per_message:ratio_rate5s)",
}


@dataclass(frozen=True)
class PairMeasures:
    """One pair. None is "not measured", which is not 0."""

    mechanism: str
    sent: int | None
    received: int | None
    lost: int | None
    lost_by_reason: dict[str, int]
    duplicated: int | None
    reordered: int | None
    corrupt: int | None
    skipped: int | None  # due and never sent
    kernel_drops: int | None  # by the kernel's own count, in this life of the consumer; None where it drops nothing
    in_flight: int | None  # sent, and neither received nor lost; an estimate, see rules.yml
    rate: float | None  # messages received per second
    load_rate: int | None  # messages per second that are due
    size_bytes: int | None
    one_way_p50_seconds: float | None
    one_way_p99_seconds: float | None
    burst: int | None = None  # messages that are due together
    cpu_seconds_per_message: float | None = None  # of the threads that communicate, both sides
    context_switches_per_message: float | None = None  # likewise
    wait: str | None = None  # what the consumer does while nothing comes: "block", "poll" or "spin"
    # Seconds of one message in `ipclab.metrics.definitions.PART_OF`: medians of late, send, transit, check; the mean of
    # wake; the channel, which is transit less send. See `dashboards.sharing.parts`.
    parts: Mapping[str, float] = field(default_factory=dict)
    cpus: str | None = None  # on how many CPUs both sides may run: "one", "two", "3"; "one, two" where they differ

    def as_json(self) -> dict[str, Any]:
        """For `status --json`."""
        return asdict(self)


def sizes_differ(pairs: Sequence[PairMeasures | Row]) -> bool:
    """Whether the pairs send messages of several sizes, so that a figure for one message does not compare them."""
    return len({pair.size_bytes for pair in pairs} - {None}) > 1


def per_mib(value: float | None, size_bytes: float | None) -> float | None:
    """What a message costs, by its size: what compares pairs that send messages of several sizes."""
    return None if value is None or not size_bytes else value / size_bytes * 2**20


def measure(prometheus: Prometheus, mechanisms: Sequence[str]) -> list[PairMeasures]:
    """The pairs as they are now, in the order of `mechanisms`."""
    numbers: dict[str, dict[str, Any]] = {mechanism: {} for mechanism in mechanisms}
    for names, convert in ((_GAUGES, int), (_ESTIMATES, round), (_RECORDED, float)):
        for name, expression in names.items():
            found = _by_mechanism(prometheus, expression)
            for mechanism, values in numbers.items():
                values[name] = convert(found[mechanism]) if mechanism in found else None
    counted = counts.read(prometheus, WINDOW_S)
    for mechanism, values in numbers.items():
        values |= {name: counted.totals.get(mechanism, {}).get(name) for name in counts.COUNTERS}
    parts = _parts(prometheus)
    cpus = _words(prometheus, "cpus", "ipc_cpus_info")
    waits = _words(prometheus, "wait", 'ipc_wait_info{role="consumer"}')
    return [
        PairMeasures(
            mechanism=mechanism,
            lost_by_reason=dict(counted.lost_by_reason.get(mechanism, {})),
            wait=waits.get(mechanism),
            parts=parts.get(mechanism, {}),
            cpus=cpus.get(mechanism),
            **values,
        )
        for mechanism, values in numbers.items()
    ]


def received(prometheus: Prometheus) -> dict[str, float]:
    """Messages received so far by each mechanism that has been scraped."""
    return _by_mechanism(prometheus, _RECEIVED)


def pairs_with_loads(prometheus: Prometheus, wanted: Mapping[str, Load]) -> set[str]:
    """The mechanisms whose producers have had the wanted load, and no other, for a whole window."""
    seen: dict[str, list[Load]] = {name: [] for name in wanted}
    for side in ("min", "max"):
        found = {
            field: _by_mechanism(prometheus, f"{side} by (mechanism) ({side}_over_time({metric}[{SETTLED_AFTER_S}s]))")
            for field, metric in _LOAD.items()
        }
        for name in wanted:
            if all(name in values for values in found.values()):
                seen[name].append(Load(**{field: int(values[name]) for field, values in found.items()}))
    return {name for name, load in wanted.items() if seen[name] == [load, load]}


def present_loads(prometheus: Prometheus) -> dict[str, Load]:
    """The load that the producers of each mechanism have now, where Prometheus shows all of it."""
    found = {field: _by_mechanism(prometheus, f"max by (mechanism) {fresh(metric)}") for field, metric in _LOAD.items()}
    names = set.intersection(*(set(values) for values in found.values()))
    return {name: Load(**{field: int(values[name]) for field, values in found.items()}) for name in sorted(names)}


def _parts(prometheus: Prometheus) -> dict[str, dict[str, float]]:
    """Mechanism to the parts of a message's time, by name, in the order in which they pass."""
    found: dict[str, dict[str, float]] = defaultdict(dict)
    for sample in prometheus.query("mechanism_part:ipc_message_part_seconds:p50_5s"):
        found[sample.labels.get("mechanism", "")][sample.labels["part"]] = sample.value
    for name, expression in (
        ("channel", "mechanism:ipc_message_channel_seconds:p50_5s"),
        ("wake", "mechanism:ipc_wake_seconds:mean5s"),
    ):
        for mechanism, value in _by_mechanism(prometheus, expression).items():
            found[mechanism][name] = value
    order = ("late", "send", "transit", "channel", "wake", "check")
    return {mechanism: {name: parts[name] for name in order if name in parts} for mechanism, parts in found.items()}


def _words(prometheus: Prometheus, label: str, metric: str) -> dict[str, str]:
    """What a label says of each mechanism; several words where its containers differ."""
    words: dict[str, set[str]] = defaultdict(set)
    for sample in prometheus.query(f"count by (mechanism, {label}) {fresh(metric)}"):
        words[sample.labels.get("mechanism", "")].add(sample.labels[label])
    return {mechanism: ", ".join(sorted(found)) for mechanism, found in words.items()}


def _by_mechanism(prometheus: Prometheus, expression: str) -> dict[str, float]:
    return {sample.labels.get("mechanism", ""): sample.value for sample in prometheus.query(expression)}


# Recorded by services/prometheus/rules.yml over the last seconds; the dashboards read the same.
_ROW_QUERIES = {
    "size_bytes": _GAUGES["size_bytes"],
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
    size_bytes: float | None = None  # of a message


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
