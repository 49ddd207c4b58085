"""Speed and its price: the last bench, and the live load with shared memory left, messages and streams right.

Both halves of a row have one scale. Grafana scales every panel by its own lines, so each half also gets the smallest
and the largest of the other's, drawn without a stroke.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from grafana_foundation_sdk.builders import heatmap, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import bench, sharing, variables
from dashboards.document import new_dashboard
from dashboards.lines import SCALE, counterpart, for_the_scale_alone, in_mechanism_colours, logarithmic
from dashboards.panels import MESSAGES_PER_SECOND, Place, graph, latency_heatmap
from dashboards.promql import any_of, median, octaves, per_message, rate, slowest
from ipclab import mechanisms as registry
from ipclab.contract.channel import Kind
from labctl.config import compose_file

_GRAPH = Place(12, 6)
_OF_THIS_SIZE = f' and on (mechanism) {variables.SIZE_SERIES}{{size=~"$size"}}'


@dataclass(frozen=True)
class Side:
    """One half of the screen."""

    name: str
    mechanisms: list[str]

    @property
    def where(self) -> str:
        """The matcher of its mechanisms."""
        return any_of(self.mechanisms)


def dashboard() -> Dashboard:
    """The last bench; then the live load: rate, latency, CPU, a latency's parts, spread, bytes, context switches."""
    made = new_dashboard("speed", "The speed of each mechanism, and the cost of a message.")
    made.with_variable(variables.message_size())
    names = compose_file.declared()
    for touched in (False, True):
        made.with_panel(bench.rows(touched, names, Place(24, 9)))
    for touched in (False, True):
        made.with_panel(bench.by_size(touched, names, Place(12, 8)))
    left, right = _sides()
    for first in (_rate, _latency, _cpu):
        made.with_panel(first(left, right)).with_panel(first(right, left))
    made.with_panel(sharing.parts(compose_file.declared(), Place(24, 12)))
    for second in (_spread, _data, _switches):
        made.with_panel(second(left, right)).with_panel(second(right, left))
    made.with_panel(_fixed_cost())
    return made


def _sides() -> list[Side]:
    mechanisms = compose_file.declared()
    shared = [name for name in mechanisms if registry.load(name).traits.kind is Kind.SHARED_MEMORY]
    return [Side("shared memory", shared), Side("message passing", [n for n in mechanisms if n not in shared])]


def _rate(side: Side, other: Side) -> timeseries.Panel:
    return _lines(
        (side, other),
        "How many messages per second",
        "Messages that the consumers receive. All pairs start with the same load, so the lines lie on top of each "
        "other. ./lab load raises the load of a pair. The rate at which a line stays below its load is the maximum of "
        "that mechanism.",
        MESSAGES_PER_SECOND,
        lambda half: {"{{mechanism}}": rate("ipc_messages_received_total", where=half.where)},
    )


def _latency(side: Side, other: Side) -> timeseries.Panel:
    panel = _lines(
        (side, other),
        "How long does a message take",
        "From due to received, over 5 seconds at a time. Solid: the median. Dashed: p99, which one message in a "
        "hundred exceeds. At a low load, copying is a small part of the latency, so both halves look alike; the table "
        "below has the parts.",
        "s",
        lambda half: {
            "{{mechanism}}": median(half.where),
            "{{mechanism}} p99": slowest(half.where),
        },
    )
    return logarithmic(panel, 1e-5).axis_soft_max(1e-2).override_by_regexp("/ p99$/", counterpart())


def _cpu(side: Side, other: Side) -> timeseries.Panel:
    return _lines(
        (side, other),
        "How much CPU time does a message cost",
        "CPU time of producer and consumer together, for each message received. The cost falls when the load rises: a "
        "consumer that finds the next message without sleeping needs no wake-up. The cost grows with the message "
        "size: each copy moves every byte, and both sides read every byte for the checksum. "
        "./lab load --all stream and ./lab load --all bulk show both.",
        "s",
        lambda half: {"{{mechanism}}": per_message("ipc_cpu_seconds_total", where=half.where)},
    )


def _spread(side: Side, _: Side) -> heatmap.Panel:
    return latency_heatmap(
        _title("How are the latencies distributed", side),
        "Messages of all mechanisms of this half, by latency. Each row is twice as long as the one below; a brighter "
        "cell has more messages. A distribution shows what a percentile hides: two bands are two ways of delivery, a "
        "bright cell high up is a stall.",
        _GRAPH,
        f"sum by (le) ({octaves('mechanism, le', side.where)}{_OF_THIS_SIZE})",
    )


def _data(side: Side, other: Side) -> timeseries.Panel:
    return _lines(
        (side, other),
        "How many bytes per second",
        "Bytes received, headers included. A large message carries more bytes for each wake-up and system call. A "
        "message that is larger than a pipe's or a socket's buffer needs several of both; in shared memory it needs "
        "no more than a small one.",
        "binBps",
        lambda half: {"{{mechanism}}": rate("ipc_bytes_received_total", where=half.where)},
    )


def _switches(side: Side, other: Side) -> timeseries.Panel:
    panel = _lines(
        (side, other),
        "How many context switches does a message cost",
        "Context switches of producer and consumer together. Solid, voluntary: a process waits for the next message "
        "or for room; one switch on each side means one message at a time. Dashed, involuntary: the kernel takes the "
        "CPU away.",
        "none",
        lambda half: {
            "{{mechanism}}": _by_kind("voluntary", half),
            "{{mechanism}} involuntary": _by_kind("involuntary", half),
        },
    )
    return panel.override_by_regexp("/ involuntary$/", counterpart())


def _fixed_cost() -> timeseries.Panel:
    """What no message costs."""
    return graph(
        "What do the containers cost beside the messages?",
        "CPU time of all containers but Prometheus and Grafana that is in no figure above, as a share of one "
        "core. Page: making the metrics page for each scrape. Processes: health checks, and the echo processes of "
        "the responder. Loop: the holder, the exporter, the responder and the probes, which move no messages of a "
        "pair. Threads: the rest. The load of the pairs does not change it.",
        "percentunit",
        Place(24, 6),
        {"{{part}}": rate("ipc_fixed_cpu_seconds_total", "part")},
    )


def _by_kind(kind: str, side: Side) -> str:
    switches = rate("ipc_context_switches_total", where=f'kind="{kind}",{side.where}')
    return f"{switches} / ({rate('ipc_messages_received_total', where=side.where)} > 0)"


def _lines(
    sides: tuple[Side, Side], question: str, description: str, unit: str, queries: Callable[[Side], dict[str, str]]
) -> timeseries.Panel:
    side, other = sides
    chosen = {legend: f"({query}){_OF_THIS_SIZE}" for legend, query in queries(side).items()}
    # The first query of a panel is of its lower lines, the last of its upper ones.
    beside = [f"({query}){_OF_THIS_SIZE}" for query in queries(other).values()]
    chosen |= {f"{SCALE} from": f"min({beside[0]})", f"{SCALE} to": f"max({beside[-1]})"}
    panel = graph(_title(question, side), description, unit, _GRAPH, chosen)
    return in_mechanism_colours(panel, side.mechanisms).override_by_regexp(f"/^{SCALE} /", for_the_scale_alone())


def _title(question: str, side: Side) -> str:
    return f"{question}? ({side.name})"
