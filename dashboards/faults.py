"""Faults and exercises: what to try, and what it does to every mechanism."""

from __future__ import annotations

from grafana_foundation_sdk.builders import table, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard

from dashboards import lines, marks, sharing
from dashboards.document import new_dashboard
from dashboards.lines import dashed, dotted, in_mechanism_colours, in_steps, not_in_legend
from dashboards.panels import MESSAGES_PER_SECOND, Place, graph, note
from dashboards.promql import WINDOW, rate
from dashboards.tables import Column, coloured_names, one_row_each
from labctl.config import compose_file

_GRAPH = Place(12, 8)
_FIRST = Place(8, 9)  # three beside each other, below the exercises on the first screen
_ON_OFF = {0: "off", 1: "on"}

# By service and not by container: Compose finds those of this project (COMPOSE_PROJECT_NAME), whatever its name is.
_TEXT = """\
Run these in the lab's directory. A mark on the graphs names each change.

- **What does the kernel keep?** `docker compose pause sysv-mq-consumer`, wait, `docker compose unpause \
sysv-mq-consumer`. Then `docker compose kill sysv-mq-consumer` and `./lab up`: the kernel kept the queue. At \
most one message is lost: the one that the consumer had received and not yet counted. The queue was full: messages \
that were due for over a second were never sent. They are *skipped*, and counted.
- **What dies with the process?** The same with `fifo` and `tcp`: the messages on the way are lost, and counted.
- **Which messages are dropped?** Pause `udp-consumer`: the producer gets no error, and messages are lost.
- **What breaks it, and for how long?** `./lab fault list`, then `./lab fault start resets tcp --for 30s`
- **How fast can it be?** `./lab load fifo --rate 2000 --size 4096`, then `./lab load fifo --reset`.
- **Why is a lock needed?** `./lab lock sysv_shm off`, then `./lab lock sysv_shm --reset`.
- **How much does the disk cost?** `LAB_FILE_FSYNC=on ./lab up plain_file`, then `./lab up plain_file`.
- **Which consumer gets which message?** `./lab up sysv_mq --scale sysv_mq.consumer=3`
"""


def dashboard() -> Dashboard:
    """Exercises above the first graphs; then losses, errors, the race, and several consumers."""
    mechanisms = compose_file.declared()
    made = new_dashboard("faults", "Exercises and their effect, with a mark for every start, stop and change.")
    for mark in marks.happened():
        made.annotation(mark)
    about = "Commands for a terminal. The graphs show their effect."
    return (
        made.with_panel(note("What can I try?", about, Place(24, 8), _TEXT))
        .with_panel(sharing.flow(mechanisms, _FIRST))
        .with_panel(_lost(mechanisms))
        .with_panel(_open(mechanisms))
        .with_panel(sharing.slowest(mechanisms, _GRAPH))
        .with_panel(_on_the_way(mechanisms))
        .with_panel(_refused(mechanisms))
        .with_panel(_wrong(mechanisms))
        .with_panel(sharing.lost_updates(mechanisms, _GRAPH))
        .with_panel(sharing.torn_reads(mechanisms, _GRAPH))
        .with_panel(sharing.received_by(mechanisms, _GRAPH))
        .with_panel(sharing.by_class(mechanisms, _GRAPH))
        .with_panel(_settings(mechanisms))
        .with_panel(_on())
        .with_panel(_last_matrix(mechanisms))
    )


def _lost(mechanisms: list[str]) -> timeseries.Panel:
    panel = graph(
        "What was lost or skipped, and why?",
        "Counted since the lab was set up or reset. Lost: messages that were sent and never arrived. A mechanism "
        "without a loss lies on zero, under its bare name. Another line names the place of the loss: in the channel "
        "(solid), at a restart of the consumer (dashed), or at a restart of the producer (long dashes). Dotted: "
        "skipped, due for over a second and never sent, because the peer was missing, the mechanism was full, or the "
        "producer was paused; no line without skipped messages. A step is a fault, and its height is the number of "
        "messages that the mechanism did not keep. A gap is a container that did not answer.",
        "none",
        _FIRST,
        {
            "{{mechanism}} {{reason}}": "sum by (mechanism, reason) (ipc_messages_lost_total) > 0"
            " or sum by (mechanism) (mechanism:ipc_messages_lost:sum) == 0",
            "{{mechanism}} skipped": "max by (mechanism) (mechanism:ipc_messages_skipped:sum) > 0",
        },
    )
    lines.by_last_word(panel, lines.OF_REASON)
    panel.override_by_regexp("/ skipped$/", [dotted()])
    return in_mechanism_colours(panel, mechanisms).axis_soft_max(10).decimals(0)


def _open(mechanisms: list[str]) -> timeseries.Panel:
    panel = graph(
        "Which channels are open?",
        "Endpoints with an open channel: 2 for a pair, producer and consumer; more after ./lab up --scale. A line "
        "falls when an endpoint loses its peer or stops.",
        "none",
        _FIRST,
        {"{{mechanism}}": "sum by (mechanism) (ipc_channel_open)"},
    )
    return in_mechanism_colours(in_steps(panel), mechanisms).axis_soft_max(3)


def _on_the_way(mechanisms: list[str]) -> timeseries.Panel:
    panel = graph(
        "How many messages are on the way?",
        "Sent, and neither received nor lost: these messages wait in the mechanism. A paused consumer lets the number "
        "rise until the mechanism is full and the producer waits. A paused consumer does not answer Prometheus, so "
        "its last count stands against the count of the producer; of udp the number includes dropped messages. "
        "Consumers that share a mailbox have no line, because no single one knows the number.",
        "none",
        _GRAPH,
        {"{{mechanism}}": "max by (mechanism) (mechanism:ipc_messages:in_flight)"},
    )
    return in_mechanism_colours(panel, mechanisms).axis_soft_max(10)


def _refused(mechanisms: list[str]) -> timeseries.Panel:
    errors = f"sum by (mechanism, errno) (rate(ipc_send_errors_total{WINDOW}))"
    panel = graph(
        "What does the kernel refuse?",
        "Failed attempts of producers to open or to send, per second, by errno; in plain words where no system call "
        "failed. A mechanism without a failure lies on zero, under its bare name. Solid, ENOENT and EAI_AGAIN, thick, "
        "ECONNREFUSED, ENXIO and not ready: no peer. Thick and dashed, ENETUNREACH, thick and dotted, EHOSTUNREACH: "
        "no route. Dashed, EPIPE and EIDRM, long dashes, ECONNRESET and removed: the peer is gone. Dotted, EAGAIN and "
        "full: full. Dash-dot, ETIMEDOUT and ENOSPC: no answer, or no space; of a ring: damaged.",
        "suffix: /s",
        _GRAPH,
        {"{{mechanism}} {{errno}}": f"{errors} > 0 or {rate('ipc_send_errors_total')} == 0"},
    )
    lines.by_last_word(panel, lines.OF_ERRNO)
    return in_mechanism_colours(panel, mechanisms).axis_soft_max(1)


def _wrong(mechanisms: list[str]) -> timeseries.Panel:
    panel = graph(
        "Which messages arrived damaged, twice or late?",
        "Per second. Solid: corrupt, a message with a wrong checksum or length. Dashed: again, a message that arrived "
        "twice. Dotted: overtaken, a message that arrived after a later one, as priorities and datagrams allow. On a "
        "healthy lab all are zero.",
        "suffix: /s",
        _GRAPH,
        {
            "{{mechanism}}": rate("ipc_messages_corrupt_total"),
            "{{mechanism}} again": rate("ipc_messages_duplicate_total"),
            "{{mechanism}} overtaken": rate("ipc_messages_reordered_total"),
        },
    )
    panel.override_by_regexp("/ again$/", [dashed(), not_in_legend()])
    panel.override_by_regexp("/ overtaken$/", [dotted(), not_in_legend()])
    return in_mechanism_colours(panel, mechanisms).axis_soft_max(1)


def _settings(mechanisms: list[str]) -> table.Panel:
    def switch(name: str) -> str:
        return f'max by (mechanism) (ipc_switch_on{{switch="{name}"}})'

    return one_row_each(
        {"mechanism": "Mechanism"},
        "Which settings does each pair have?",
        "The settings that ./lab load and ./lab lock change: the rate that is asked for, the size of a message, the "
        "switches, how the consumer waits, and whether several consumers share the mailbox.",
        Place(24, 13),
        [
            Column("Asked for", "sum by (mechanism) (ipc_load_rate)", 120, MESSAGES_PER_SECOND, 0),
            Column("Due together", "max by (mechanism) (ipc_load_burst)", 110, decimals=0),
            Column("Message size", "max by (mechanism) (ipc_message_size_bytes)", 120, "bytes"),
            Column("Race lock", switch("sync"), 90, words=_ON_OFF),
            Column("Append lock", switch("lock"), 105, words=_ON_OFF),
            Column("fsync", switch("fsync"), 80, words=_ON_OFF),
            Column("Consumer waits by", 'max by (mechanism, wait) (ipc_wait_info{role="consumer"})', 150, label="wait"),
            Column("Mailbox shared", "max by (mechanism) (ipc_channel_shared)", 130, words={0: "no", 1: "yes"}),
        ],
    ).override_by_name("Mechanism", coloured_names(mechanisms))


def _on() -> timeseries.Panel:
    panel = graph(
        "Which faults are on?",
        "A line at 1 for each fault of ./lab fault, from its start to its end, with the pair it breaks. A fault of "
        "the lab has no pair. No line: no fault is on.",
        "none",
        Place(24, 5),
        {"{{fault}} {{mechanism}}": "max by (fault, mechanism) (ipc_fault_active)"},
    )
    return in_steps(panel).no_value("no fault is on: ./lab fault list").axis_soft_max(1).decimals(0)


def _last_matrix(mechanisms: list[str]) -> table.Panel:
    def of(metric: str) -> str:
        return f"max by (fault, mechanism) ({metric})"

    return (
        one_row_each(
            {"fault": "Fault", "mechanism": "Mechanism"},
            "What did each fault do in the last matrix?",
            "As ./lab fault matrix measured it. Back: the time from the end of the fault until messages arrived again; "
            "no time is a pair that was not back. Lost: messages that were sent and never arrived. As predicted: from "
            "the traits of the mechanism and the fault. Its --json has the errnos and the reasons of the losses.",
            Place(24, 13),
            [
                Column("Back after", of("ipc_fault_back_seconds"), 120, "s", 1),
                Column("Lost", of("ipc_fault_lost_messages"), 100, decimals=0),
                Column("As predicted", of("ipc_fault_differs"), 120, words={0: "yes", 1: "no"}),
            ],
            {"Fault": 220},
        )
        .no_value("no fault matrix yet: ./lab fault matrix")
        .override_by_name("Mechanism", coloured_names(mechanisms))
    )
