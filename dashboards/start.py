"""Start here: what every mechanism does right now and what it costs, and where to look further."""

from __future__ import annotations

from grafana_foundation_sdk.builders import stat, table
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import sharing
from dashboards.document import TITLES, new_dashboard, path
from dashboards.panels import MESSAGES_PER_SECOND, Place, note, one_number
from dashboards.promql import rate
from dashboards.tables import Column, coloured_names, one_row_each
from labctl.config import compose_file

_GRAPH = Place(12, 8)
_ROW_PIXELS, _GRID_PIXELS = 36, 38

_LEADS_TO = {
    "hosts": "placements, errnos, namespaces",
    "speed": "rates, latencies, CPU time",
    "kernel": "segments, queues, limits",
    "mechanism": "every figure of one mechanism",
    "faults": "**the exercises**",
}


def dashboard() -> Dashboard:
    """The first dashboard: numbers and the table fill one screen of 1280 by 720, the graphs follow below."""
    mechanisms = compose_file.declared()
    # A new pair is one row more.
    height = -(-(_ROW_PIXELS * (len(mechanisms) + 1) + 44) // _GRID_PIXELS)
    made = new_dashboard("start", "What every mechanism does now, and what a message costs.")
    for number in _numbers(mechanisms):
        made.with_panel(number)
    return (
        made.with_panel(_now(mechanisms, Place(18, height)))
        .with_panel(
            note("What is this?", "What the lab is, and which dashboard shows what.", Place(6, height), _text())
        )
        .with_panel(sharing.median(mechanisms, _GRAPH))
        .with_panel(sharing.flow(mechanisms, _GRAPH))
    )


def _numbers(mechanisms: list[str]) -> list[stat.Panel]:
    place, narrow = Place(4, 3), Place(3, 3)
    moving = f"count({rate('ipc_messages_received_total')} > 0) or vector(0)"
    return [
        one_number(
            "Pairs at work",
            "Pairs whose consumer received a message in the last seconds. A missing pair was not started, or does not "
            "move messages: see Faults and exercises.",
            f"suffix: of {len(mechanisms)}",
            place,
            moving,
        ),
        one_number(
            "Messages",
            "Messages per second that all consumers receive, on this one machine.",
            MESSAGES_PER_SECOND,
            place,
            "sum(rate(ipc_messages_received_total[$__rate_interval]))",
        ),
        one_number(
            "Data",
            "Bytes per second of all messages that were received, headers included.",
            "binBps",
            narrow,
            "sum(rate(ipc_bytes_received_total[$__rate_interval]))",
        ),
        one_number(
            "CPU time",
            "CPU time of the message loops of all producers and consumers, as a share of one core: 100 % is one busy "
            "core. Speed and its price has what the containers cost beside the loops.",
            "percentunit",
            narrow,
            "sum(rate(ipc_cpu_seconds_total[$__rate_interval]))",
        ),
        one_number(
            "Lost",
            "Messages that were sent and never arrived, since the lab was set up or reset. Coloured above zero. "
            "The table below shows the mechanism.",
            "none",
            narrow,
            "sum(ipc_messages_lost_total)",
            alarm=True,
        ),
        one_number(
            "Skipped",
            "Messages that were due for over a second and never sent, because the peer was missing, the mechanism was "
            "full, or the producer was paused (./lab bench does so). Counted since the lab was set up or reset; "
            "coloured above zero.",
            "none",
            narrow,
            "sum(ipc_messages_skipped_total)",
            alarm=True,
        ),
        one_number(
            "Containers",
            "Containers that answered Prometheus in the last second: two for each pair, the exporter, the responder, "
            "the probes and the holder of the IPC namespace.",
            "none",
            place,
            "count(ipc_namespace_info)",
        ),
    ]


def _now(mechanisms: list[str], place: Place) -> table.Panel:
    return one_row_each(
        {"mechanism": "Mechanism"},
        "What does each mechanism do now?",
        "One row per pair of containers, over the last 5 seconds. Median and p99: of the one-way latency. In flight: "
        "sent, and neither received nor lost; the number grows when the consumer is too slow, until the mechanism is "
        "full. Skipped: due for over a second and never sent, because the peer was missing, the mechanism was full, or "
        "the producer was paused. CPU time and context switches are those of producer and consumer together, for one "
        "message. The name links to the dashboard of the mechanism.",
        place,
        [
            Column(
                "Received", _rule("mechanism:ipc_messages_received:rate5s"), 95, unit=MESSAGES_PER_SECOND, decimals=0
            ),
            Column("Median", _rule("mechanism:ipc_one_way_latency_seconds:p50_5s"), 80, "s", 0),
            Column("p99", _rule("mechanism:ipc_one_way_latency_seconds:p99_5s"), 65, "s", 0),
            Column("In flight", _rule("mechanism:ipc_messages:in_flight"), 75, decimals=0),
            Column("Lost", _rule("mechanism:ipc_messages_lost:sum"), 50, decimals=0, alarm_above_zero=True),
            Column("Skipped", _rule("mechanism:ipc_messages_skipped:sum"), 70, decimals=0, alarm_above_zero=True),
            Column("Corrupt", "sum by (mechanism) (ipc_messages_corrupt_total)", 75, decimals=0, alarm_above_zero=True),
            Column("CPU/message", _rule("mechanism:ipc_cpu_seconds_per_message:ratio_rate5s"), 110, "s", 0),
            Column(
                "Switches/message",
                "sum by (mechanism) (mechanism_kind:ipc_context_switches_per_message:ratio_rate5s)",
                145,
                decimals=1,
            ),
        ],
    ).override_by_name("Mechanism", coloured_names(mechanisms))


def _rule(name: str) -> str:
    """A recorded series by mechanism alone: its own name would be a label too."""
    return f"max by (mechanism) ({name})"


def _text() -> str:
    leads = "\n".join(f"- [{TITLES[name]}]({path(name)}): {what}" for name, what in _LEADS_TO.items())
    return f"""\
Each **mechanism** carries messages from a *producer* to a *consumer* container. All numbers are measured now. \
Latency counts from the moment when a message was **due**.

{leads}

The **i** of each panel explains it.
"""
