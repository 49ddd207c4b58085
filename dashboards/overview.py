"""Start here: what every mechanism does right now, what it costs, and what the pairs share."""

from __future__ import annotations

from grafana_foundation_sdk.builders import table, timeseries
from grafana_foundation_sdk.builders.common import ScaleDistributionConfig
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models.common import ScaleDistribution

from dashboards.panels import (
    MESSAGES_PER_SECOND,
    WINDOW,
    Column,
    Place,
    coloured_names,
    counterpart,
    dashed,
    dotted,
    graph,
    in_mechanism_colours,
    new_dashboard,
    not_in_legend,
    note,
    one_row_each,
)
from labctl import pairs

UID = "ipclab-overview"

_GRAPH = Place(8, 6)
_SMALL_GRAPH = Place(7, 6)
_ROW_PIXELS, _GRID_PIXELS = 36, 38

_TEXT = """\
Every **mechanism** carries messages from a *producer* container to a *consumer* container. All numbers are
measured, now.

Latency counts from the moment a message was **due**. What is lost is counted.

What to see, and why: the **i** of each panel. Your own questions: [Prometheus](http://127.0.0.1:9090).
"""


def dashboard() -> Dashboard:
    """The first dashboard: with four mechanisms it fits one screen of 1280 by 720."""
    mechanisms = pairs.declared()
    # A new pair is one row more.
    top = -(-(_ROW_PIXELS * (len(mechanisms) + 1) + 44) // _GRID_PIXELS)
    return (
        new_dashboard(UID, "Start here", "What every mechanism does right now, and what it costs.")
        .with_panel(_now(mechanisms, Place(18, top)))
        .with_panel(note("What is this?", "The lab in a few lines.", Place(6, top), _TEXT))
        .with_panel(_median(mechanisms))
        .with_panel(_slowest(mechanisms))
        .with_panel(_flow(mechanisms))
        .with_panel(_lost(mechanisms))
        .with_panel(_switches(mechanisms))
        .with_panel(_namespaces(mechanisms))
    )


def _now(mechanisms: list[str], place: Place) -> table.Panel:
    return one_row_each(
        "mechanism",
        "Mechanism",
        "What does each mechanism do right now?",
        "One row per pair of containers, over the last 5 seconds. In flight: sent, and neither received nor lost; "
        "it grows when the consumer cannot keep up, until the mechanism is full. CPU time and context switches are "
        "those of producer and consumer together, for one message.",
        place,
        [
            Column(
                "Received", _rule("mechanism:ipc_messages_received:rate5s"), 95, unit=MESSAGES_PER_SECOND, decimals=0
            ),
            Column("Median latency", _rule("mechanism:ipc_one_way_latency_seconds:p50_5s"), 120, "s", 0),
            Column("p99 latency", _rule("mechanism:ipc_one_way_latency_seconds:p99_5s"), unit="s", decimals=0),
            Column("CPUs", 'max by (mechanism, cpus) (ipc_cpus_info{role="consumer"})', 50, label="cpus"),
            Column("In flight", _rule("mechanism:ipc_messages:in_flight"), 75, decimals=0),
            Column("Lost", _rule("mechanism:ipc_messages_lost:sum"), 60, decimals=0, alarm_above_zero=True),
            Column("Corrupt", "sum by (mechanism) (ipc_messages_corrupt_total)", 75, decimals=0, alarm_above_zero=True),
            Column("CPU/message", _rule("mechanism:ipc_cpu_seconds_per_message:ratio_rate5s"), 110, "s", 0),
            Column(
                "Switches/message",
                "sum by (mechanism) (mechanism_kind:ipc_context_switches_per_message:ratio_rate5s)",
                135,
                decimals=1,
            ),
        ],
    ).override_by_name("Mechanism", coloured_names(mechanisms))


def _rule(name: str) -> str:
    """A recorded series by mechanism alone: its own name would be a label too."""
    return f"max by (mechanism) ({name})"


def _median(mechanisms: list[str]) -> timeseries.Panel:
    return _latency(
        0.5,
        "How long does a message take?",
        "Median time from the moment a message was due to the moment it was received. One clock serves all "
        "containers of a machine (CLOCK_MONOTONIC), so it is one-way and exact. The scale is logarithmic. Most of "
        "it is the time to wake the consumer, which is why so different mechanisms lie so close together.",
        mechanisms,
    )


def _slowest(mechanisms: list[str]) -> timeseries.Panel:
    return _latency(
        0.99,
        "How long do the slowest 1 % take?",
        "99th percentile of the same time: one message in a hundred takes at least so long. Messages are due on a "
        "schedule, whatever happens to those before; so a stall of a mechanism shows here in full.",
        mechanisms,
    )


def _latency(quantile: float, title: str, description: str, mechanisms: list[str]) -> timeseries.Panel:
    buckets = f"sum by (mechanism, le) (rate(ipc_one_way_latency_seconds_bucket{WINDOW}))"
    # Without a message there is no latency: the comparison drops the NaN.
    query = f"histogram_quantile({quantile}, {buckets}) >= 0"
    panel = graph(title, description, "s", _GRAPH, {"{{mechanism}}": query})
    panel.scale_distribution(ScaleDistributionConfig().type(ScaleDistribution.LOG).log(10)).axis_soft_min(1e-5)
    return in_mechanism_colours(panel, mechanisms)


def _flow(mechanisms: list[str]) -> timeseries.Panel:
    panel = graph(
        "Is everything that is sent received?",
        "Solid: what the consumer receives. Dashed: what the producer sends. On a healthy lab all of them lie on top "
        "of each other, because all pairs have the same load. A solid line below its dashed one is messages that are "
        "lost, or that wait in the mechanism; above it, a queue that drains.",
        MESSAGES_PER_SECOND,
        _GRAPH,
        {
            "{{mechanism}}": f"sum by (mechanism) (rate(ipc_messages_received_total{WINDOW}))",
            "{{mechanism}} sent": f"sum by (mechanism) (rate(ipc_messages_sent_total{WINDOW}))",
        },
    )
    panel.override_by_regexp("/ sent$/", counterpart())
    return in_mechanism_colours(panel, mechanisms)


def _lost(mechanisms: list[str]) -> timeseries.Panel:
    panel = graph(
        "What was lost, and why?",
        "Messages that never arrived, counted since the lab was set up. A mechanism that lost none lies on zero, under "
        "its bare name. One that did says when: in the channel, or with the producer or the consumer that was "
        "restarted. Dotted: never sent, because no peer was there or the mechanism was full for over a second. A step "
        "is a fault, its height what the mechanism could not keep; a gap is a container that was not there to ask.",
        "short",
        _SMALL_GRAPH,
        {
            "{{mechanism}} {{reason}}": "sum by (mechanism, reason) (ipc_messages_lost_total) > 0"
            " or sum by (mechanism) (ipc_messages_lost_total) == 0",
            "{{mechanism}} never sent": "sum by (mechanism) (ipc_messages_skipped_total)",
        },
    )
    panel.override_by_regexp("/ .*_restart$/", [dashed()])
    panel.override_by_regexp("/ never sent$/", [dotted(), not_in_legend()])
    return in_mechanism_colours(panel, mechanisms).axis_soft_max(10).decimals(0)


def _switches(mechanisms: list[str]) -> timeseries.Panel:
    received = f"sum by (mechanism) (rate(ipc_messages_received_total{WINDOW})) > 0"

    def per_message(kind: str) -> str:
        switches = f'sum by (mechanism) (rate(ipc_context_switches_total{{kind="{kind}"}}{WINDOW}))'
        return f"{switches} / ({received})"

    panel = graph(
        "How many context switches per message?",
        "Of producer and consumer together. Solid, voluntary: the process waits, for the next message or for room. "
        "Dashed, involuntary: the kernel takes the CPU away, because others want it too.",
        "short",
        _SMALL_GRAPH,
        {"{{mechanism}}": per_message("voluntary"), "{{mechanism}} involuntary": per_message("involuntary")},
    )
    panel.override_by_regexp("/ involuntary$/", counterpart())
    return in_mechanism_colours(panel, mechanisms)


def _namespaces(mechanisms: list[str]) -> table.Panel:
    consumers = 'ipc_namespace_info{role="consumer"}'
    members = "count by (ipc) (ipc_namespace_info)"
    panel = one_row_each(
        "mechanism",
        "Mechanism",
        "Who shares an IPC namespace?",
        "The inode of the IPC namespace that each side is in; two containers share it if it is the same. System V "
        "objects are visible inside one only, so those pairs share one, together with the container that holds it "
        "open. A FIFO meets in a shared volume, TCP in a shared network: those need no common namespace, and have "
        "none. Members: all containers in the consumer's.",
        Place(10, _GRAPH.height),
        [
            Column("Producer in", _inode("producer"), label="producer"),
            Column("Consumer in", _inode("consumer"), label="consumer"),
            Column("Pair", _pair(), 80, label="pair"),
            Column("Members", f"max by (mechanism) ({consumers} * on (ipc) group_left () {members})", 80, decimals=0),
        ],
    )
    return panel.override_by_name("Mechanism", coloured_names(mechanisms))


def _inode(role: str) -> str:
    """One series per mechanism, whose label `role` is the inode of that side's IPC namespace."""
    info = f'ipc_namespace_info{{role="{role}"}}'
    return f'max by (mechanism, {role}) (label_replace({info}, "{role}", "$1", "ipc", "(.*)"))'


def _pair() -> str:
    """One series per mechanism, whose label `pair` says in a word if its two sides share the namespace."""
    inodes = 'count by (mechanism) (count by (mechanism, ipc) (ipc_namespace_info{mechanism!=""}))'
    shared = f'label_replace({inodes} == 1, "pair", "shared", "", "")'
    return f'{shared} or label_replace({inodes} > 1, "pair", "separate", "", "")'
