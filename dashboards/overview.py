"""Start here: what every mechanism does right now, what it costs, and what the pairs share."""

from __future__ import annotations

from grafana_foundation_sdk.builders import table, timeseries
from grafana_foundation_sdk.builders.common import ScaleDistributionConfig, StackingConfig
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models.common import ScaleDistribution, StackingMode

from dashboards import colours
from dashboards.panels import (
    WINDOW,
    Column,
    Place,
    coloured_names,
    dashed,
    fixed_colour,
    graph,
    in_mechanism_colours,
    new_dashboard,
    note,
    on_top_of_the_stack,
    one_row_each,
    words,
)
from ipclab import registry

UID = "ipclab-overview"

_GRAPH = Place(8, 6)
_ROW_PIXELS, _GRID_PIXELS = 36, 38

_TEXT = """\
Each **mechanism** carries messages from a *producer* container to a *consumer* container, under steady load.
Every number was measured within the last seconds.

- Latency counts from the moment a message was **due**.
- What is lost is counted, and never hidden.
- The **i** of a panel says what to see there, and why.

Your own questions: [Prometheus](http://127.0.0.1:9090). All else: `README.md`.
"""


def dashboard() -> Dashboard:
    """The first dashboard: with four mechanisms it fits one screen of 1280 by 720."""
    mechanisms = registry.names()
    # A new mechanism is one row more.
    top = -(-(_ROW_PIXELS * (len(mechanisms) + 1) + 44) // _GRID_PIXELS)
    return (
        new_dashboard(UID, "Start here", "What every mechanism does right now, and what it costs.")
        .with_panel(_now(mechanisms, Place(18, top)))
        .with_panel(note("What is this?", "The lab in a few lines.", Place(6, top), _TEXT))
        .with_panel(_median(mechanisms))
        .with_panel(_slowest(mechanisms))
        .with_panel(_flow(mechanisms))
        .with_panel(_lost())
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
            Column("Received", "mechanism:ipc_messages_received:rate5s", unit="mps", decimals=0),
            Column("Median latency", "mechanism:ipc_one_way_latency_seconds:p50_5s", unit="s", decimals=0),
            Column("p99 latency", "mechanism:ipc_one_way_latency_seconds:p99_5s", unit="s", decimals=0),
            Column("In flight", "mechanism:ipc_messages:in_flight", decimals=0),
            Column("Lost", "mechanism:ipc_messages_lost:sum", decimals=0, alarm_above_zero=True),
            Column("Corrupt", "sum by (mechanism) (ipc_messages_corrupt_total)", decimals=0, alarm_above_zero=True),
            Column("CPU/message", "mechanism:ipc_cpu_seconds_per_message:ratio_rate5s", unit="s", decimals=0),
            Column(
                "Switches/message",
                "sum by (mechanism) (mechanism_kind:ipc_context_switches_per_message:ratio_rate5s)",
                decimals=1,
            ),
        ],
    ).override_by_name("Mechanism", coloured_names(mechanisms))


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
    panel.scale_distribution(ScaleDistributionConfig().type(ScaleDistribution.LOG).log(10))
    return in_mechanism_colours(panel.min(1e-6), mechanisms)


def _flow(mechanisms: list[str]) -> timeseries.Panel:
    sent = "sent, all together"
    panel = graph(
        "Is everything that is sent received?",
        "The areas, on top of each other, are what each mechanism's consumer receives. The dashed line is what all "
        "producers send. It lies on the top edge while everything arrives; a gap below it is messages that are "
        "lost, or that wait in the mechanism.",
        "mps",
        _GRAPH,
        {
            "{{mechanism}}": f"sum by (mechanism) (rate(ipc_messages_received_total{WINDOW}))",
            sent: f"sum(rate(ipc_messages_sent_total{WINDOW}))",
        },
    )
    panel.fill_opacity(35).line_width(1).stacking(StackingConfig().mode(StackingMode.NORMAL).group("A"))
    panel.override_by_name(sent, [*on_top_of_the_stack(), dashed(), fixed_colour(colours.NEUTRAL)])
    return in_mechanism_colours(panel, mechanisms)


def _lost() -> timeseries.Panel:
    return graph(
        "What was lost, and why?",
        "Sequence numbers that never arrived, counted since the lab was set up: lost in the channel, or with the "
        "producer or the consumer when it was restarted. Never sent: due, but no peer was there or the mechanism "
        "was full for over a second. A step is a fault; its height is what the mechanism could not keep.",
        "short",
        _GRAPH,
        {
            "lost: {{reason}}": "sum by (reason) (ipc_messages_lost_total)",
            "never sent": "sum(ipc_messages_skipped_total)",
        },
    ).axis_soft_max(10)


def _switches(mechanisms: list[str]) -> timeseries.Panel:
    switches = f"sum by (mechanism, kind) (rate(ipc_context_switches_total{WINDOW}))"
    received = f"sum by (mechanism) (rate(ipc_messages_received_total{WINDOW})) > 0"
    panel = graph(
        "How many context switches does a message cost?",
        "Of producer and consumer together. Voluntary (solid): the process waits, for the next message or for room. "
        "Involuntary (dashed): the kernel takes the CPU away, because others want it too.",
        "short",
        _GRAPH,
        {"{{mechanism}} {{kind}}": f"{switches} / on (mechanism) group_left () ({received})"},
    )
    panel.override_by_regexp("/ involuntary$/", [dashed()])
    return in_mechanism_colours(panel, mechanisms)


def _namespaces(mechanisms: list[str]) -> table.Panel:
    consumers = 'ipc_namespace_info{role="consumer"}'
    members = "count by (ipc) (ipc_namespace_info)"
    panel = one_row_each(
        "mechanism",
        "Mechanism",
        "Who shares an IPC namespace?",
        "Two containers are in one IPC namespace if its inode is the same. System V objects are visible inside one "
        "only, so those pairs share it, with the container that holds it open. A FIFO meets in a shared volume, TCP "
        "in a shared network: those pairs need no common namespace, and have none.",
        _GRAPH,
        [
            Column("Producer's", _inode("producer"), label="producer"),
            Column("Consumer's", _inode("consumer"), label="consumer"),
            Column(
                "The pair's",
                'count by (mechanism) (count by (mechanism, ipc) (ipc_namespace_info{mechanism!=""}))',
            ),
            Column("Containers in it", f"sum by (mechanism) ({consumers} * on (ipc) group_left () {members})"),
        ],
    )
    panel.override_by_name("The pair's", [words({1: "shared", 2: "separate"})])
    return panel.override_by_name("Mechanism", coloured_names(mechanisms))


def _inode(role: str) -> str:
    """One series per mechanism, whose label `role` is the inode of that side's IPC namespace."""
    info = f'ipc_namespace_info{{role="{role}"}}'
    return f'max by (mechanism, {role}) (label_replace({info}, "{role}", "$1", "ipc", "(.*)"))'
