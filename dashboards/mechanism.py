"""Mechanism: all that is measured of one, with what it says of itself."""

from __future__ import annotations

from grafana_foundation_sdk.builders import heatmap, table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard
from grafana_foundation_sdk.models.dashboard import GridPos

from dashboards import marks, variables
from dashboards.document import new_dashboard
from dashboards.lines import dashed, dotted, logarithmic
from dashboards.panels import MESSAGES_PER_SECOND, Place, graph, latency_heatmap, note
from dashboards.promql import octaves, quantile, rate, with_container
from dashboards.tables import Column, one_row_each
from ipclab.metrics.definitions import PART_OF

_IT = variables.CHOSEN
_GRAPH = Place(8, 6)


def dashboard() -> Dashboard:
    """Facts, sides and the first two graphs fill a screen."""
    made = new_dashboard("mechanism", "One mechanism: its facts and every measurement.")
    made.with_variable(variables.mechanism())
    for mark in marks.happened(_IT, choice=False):
        made.annotation(mark)
    return (
        made.with_panel(
            note(
                "Facts of the mechanism",
                "Facts, not measurements: the same as ./lab mechanisms. The conformance tests try what can be tried: "
                "order, when full, limit, persistence. docs/MECHANISMS.md names the source of each fact.",
                Place(10, 16),
                f"### {variables.NAME}\n\n{variables.FACTS}\n",
            )
        )
        # Beside the facts and below each other: the builder places no panel below another by itself.
        .with_panel(_flow().grid_pos(GridPos(x=10, y=5, w=7, h=11)))
        .with_panel(_latency().grid_pos(GridPos(x=17, y=5, w=7, h=11)))
        .with_panel(_parts())
        .with_panel(_spread())
        .with_panel(_missing())
        .with_panel(_errors())
        .with_panel(_on_the_way())
        .with_panel(_cpu())
        .with_panel(_switches())
        .with_panel(_data())
        .with_panel(_sides().grid_pos(GridPos(x=10, y=0, w=14, h=5)))
    )


def _sides() -> table.Panel:
    def of_container(series: str) -> str:
        return f"max by (role, container) ({with_container(series, _IT)})"

    cpu = f"sum by (role, container) ({with_container('ipc_cpu_seconds_total', _IT)})"
    return one_row_each(
        {"role": "Side", "container": "Container"},
        "Which containers take part?",
        "One row per container, with the id that docker ps shows. Waits by: the endpoint blocks, polls or spins while "
        "it waits. CPUs: the number of CPUs that the container may use. Two containers share an IPC namespace if the "
        "number is the same. Opened: how often this process opened its channel; more than once means that the peer "
        "went away.",
        Place(14, 11),
        [
            Column("IPC namespace", f"max by (role, container, ipc) (ipc_namespace_info{{{_IT}}})", 120, label="ipc"),
            Column(
                "Waits by",
                f"max by (role, container, wait) ({with_container('ipc_wait_info', _IT)})",
                80,
                label="wait",
            ),
            Column(
                "CPUs", f"max by (role, container, cpus) ({with_container('ipc_cpus_info', _IT)})", 60, label="cpus"
            ),
            Column("Open", of_container("ipc_channel_open"), 60, words={0: "no", 1: "yes"}),
            Column("Opened", of_container("ipc_channel_opens_total"), 75, decimals=0),
            Column("CPU s", cpu, 75, decimals=1),
        ],
        {"Side": 85, "Container": 115},
    )


def _flow() -> timeseries.Panel:
    panel = graph(
        "Is everything sent and received?",
        "Asked: messages that are due. Sent: messages that the channel took. Received: messages that arrived. On a "
        "healthy pair the three lie on top of each other. Sent below asked: no peer, or a full channel. Received "
        "below sent: messages are lost or wait.",
        MESSAGES_PER_SECOND,
        _GRAPH,
        {
            "received": rate("ipc_messages_received_total", where=_IT),
            "sent": rate("ipc_messages_sent_total", where=_IT),
            "asked": f"sum(ipc_load_rate{{{_IT}}})",
        },
    )
    panel.override_by_name("asked", [dotted()])
    return panel.override_by_name("sent", [dashed()])


def _latency() -> timeseries.Panel:
    panel = graph(
        "How long does a message take?",
        "From due to received, on one clock. Half of the messages are faster than the median, one in ten is slower "
        "than p90, one in a hundred is slower than p99. The scale is logarithmic, because the tail is far from the "
        "median.",
        "s",
        _GRAPH,
        {name: quantile(share, where=_IT) for name, share in (("median", 0.5), ("p90", 0.9), ("p99", 0.99))},
    )
    panel.override_by_name("p90", [dashed()])
    return logarithmic(panel, 1e-5).override_by_name("p99", [dotted()])


def _parts() -> timeseries.Panel:
    part = f"max by (part) (mechanism_part:ipc_message_part_seconds:p50_5s{{{_IT},part!='transit'}})"
    return graph(
        "Where does the time of a message go?",
        f"Medians of one message in {PART_OF}. Late: from due until the producer began to send, by its timer and the "
        "scheduler. Send: header, checksum and the system call. Channel: the rest until the consumer had the "
        "message: the kernel, a CPU that was asleep, the wake-up, the interpreter. Wake, a part of the channel: from "
        "woken to running, a mean that the kernel counts. Check: checksum and accounts, after the latency has ended.",
        "s",
        _GRAPH,
        {
            "{{part}}": part,
            "channel": f"max(mechanism:ipc_message_channel_seconds:p50_5s{{{_IT}}})",
            "wake": f"max(mechanism:ipc_wake_seconds:mean5s{{{_IT}}})",
        },
    )


def _spread() -> heatmap.Panel:
    return latency_heatmap(
        "How are the latencies distributed?",
        "Each column is a moment, each cell the messages of one latency, up to twice as long as in the cell below; a "
        "brighter cell has more messages. Two bands are two ways of delivery, for instance with the consumer awake or "
        "asleep. A single bright cell high up is a stall.",
        _GRAPH,
        octaves(where=_IT),
    )


def _missing() -> timeseries.Panel:
    return graph(
        "Which messages are missing or wrong?",
        "Counted since the lab was set up or reset. Lost: sent, never arrived. Skipped: due, never sent. Duplicate, "
        "out of order, corrupt: arrived twice, after a later one, or damaged. On a healthy pair all are flat.",
        "none",
        _GRAPH,
        {
            "lost: {{reason}}": f"sum by (reason) (ipc_messages_lost_total{{{_IT}}})",
            "skipped": f"sum(ipc_messages_skipped_total{{{_IT}}})",
            "duplicate": f"sum(ipc_messages_duplicate_total{{{_IT}}})",
            "out of order": f"sum(ipc_messages_reordered_total{{{_IT}}})",
            "corrupt": f"sum(ipc_messages_corrupt_total{{{_IT}}})",
        },
    ).axis_soft_max(10)


def _errors() -> timeseries.Panel:
    return graph(
        "Which errors does the producer get?",
        "Failed attempts to open or to send, per second, by the errno that `man` lists for the call. On a healthy "
        "pair all are zero. EAGAIN or full: no room. ENOENT or ECONNREFUSED: no consumer. EPIPE: a dead consumer. "
        "Plain words: no system call failed, and the lab itself cannot go on.",
        "suffix: /s",
        _GRAPH,
        {"{{errno}}": rate("ipc_send_errors_total", "errno", _IT)},
    ).axis_soft_max(1)


def _on_the_way() -> timeseries.Panel:
    return graph(
        "How many messages are on the way?",
        "Sent, and neither received nor lost: these messages wait in the mechanism. The number grows when the "
        "consumer is slow or paused, until the mechanism is full. Consumers that share a mailbox have no line, "
        "because no single one knows the number.",
        "none",
        _GRAPH,
        {"on the way": f"sum(mechanism:ipc_messages:in_flight{{{_IT}}})"},
    ).axis_soft_max(10)


def _cpu() -> timeseries.Panel:
    panel = graph(
        "Where does the CPU time go?",
        "CPU time of the thread that communicates, as a share of one core. User: the lab's code and the interpreter. "
        "System: the kernel, which copies and wakes. Shared memory moves the work from the kernel to the user.",
        "percentunit",
        _GRAPH,
        {"{{role}} {{mode}}": rate("ipc_cpu_seconds_total", "role, mode", _IT)},
    )
    return panel.override_by_regexp("/ system$/", [dashed()])


def _switches() -> timeseries.Panel:
    panel = graph(
        "How often does each side give the CPU away?",
        "Context switches per second. Voluntary: the process waits for a message or for room. Involuntary, dashed: "
        "the kernel gives the CPU to another process.",
        "suffix: /s",
        _GRAPH,
        {"{{role}} {{kind}}": rate("ipc_context_switches_total", "role, kind", _IT)},
    )
    return panel.override_by_regexp("/ involuntary$/", [dashed()])


def _data() -> timeseries.Panel:
    return graph(
        "How much data is received?",
        "Bytes per second, headers included: the rate times the message size. `./lab load` changes both.",
        "binBps",
        _GRAPH,
        {"received": rate("ipc_bytes_received_total", where=_IT)},
    )
