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
_ON_OFF = {0: "off", 1: "on"}

# By service and not by container: Compose finds those of this project (COMPOSE_PROJECT_NAME), whatever its name is.
_TEXT = """\
On your machine, in the lab's directory. Every mark on the graphs says what happened.

- **What does the kernel keep?** `docker compose pause sysv-mq-consumer`, wait, `docker compose unpause \
sysv-mq-consumer`. Then `docker compose kill sysv-mq-consumer` and `./lab up`: the queue was kept, so nothing that was \
sent is lost. But it was full meanwhile, and what was due for over a second was never sent: *skipped*, and counted.
- **What dies with the process?** The same with `fifo` and `tcp`: what was on the way is lost, and counted.
- **What is dropped?** Pause `udp-consumer`: no error anywhere, and messages are gone.
- **How fast can it be?** `./lab load fifo --rate 2000 --size 4096`, then `./lab load fifo --reset`.
- **What is a lock for?** `./lab lock sysv_shm off`, then `./lab lock sysv_shm --reset`.
- **What does the disk cost?** `LAB_FILE_FSYNC=on ./lab up plain_file`, then `./lab up plain_file`.
- **Who gets which message?** `./lab up sysv_mq --scale sysv_mq.consumer=3`
"""


def dashboard() -> Dashboard:
    """Exercises beside the first graph; then losses, errors, the race, and several consumers."""
    mechanisms = compose_file.declared()
    made = new_dashboard(
        "faults", "Exercises, and what they do, with a mark for whatever was started, stopped or changed."
    )
    for mark in marks.happened():
        made.annotation(mark)
    about = "What to try, as commands for a terminal; what to see is on the graphs."
    return (
        made.with_panel(note("What can I try?", about, Place(12, 9), _TEXT))
        .with_panel(sharing.flow(mechanisms, Place(12, 9)))
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
    )


def _lost(mechanisms: list[str]) -> timeseries.Panel:
    panel = graph(
        "What was lost or skipped, and why?",
        "Counted since the lab was set up. Lost: messages that were sent and never arrived. A mechanism that lost none "
        "lies on zero, under its bare name. One that did says when: in the channel (solid), or with the consumer "
        "(dashed) or the producer (long dashes) that was restarted. Dotted: skipped, due for over a second and never "
        "sent, because no peer was there or the mechanism was full; no line where none was. A step is a fault, its "
        "height what the mechanism could not keep; a gap is a container that was not there to ask.",
        "none",
        _GRAPH,
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
        "Who has its channel open?",
        "Endpoints that have their channel open: 2 for a pair, producer and consumer; more where ./lab up --scale has "
        "started more. One that falls has lost its peer, or is not there any more.",
        "none",
        _GRAPH,
        {"{{mechanism}}": "sum by (mechanism) (ipc_channel_open)"},
    )
    return in_mechanism_colours(in_steps(panel), mechanisms).axis_soft_max(3)


def _on_the_way(mechanisms: list[str]) -> timeseries.Panel:
    panel = graph(
        "How many messages are on the way?",
        "Sent, and neither received nor lost: they wait in the mechanism. A paused consumer lets it rise, until the "
        "mechanism is full and the producer must wait: its page does not answer, so what it received last stands "
        "against what the producer goes on sending; of udp that is also what was dropped meanwhile. Where several "
        "consumers share a mailbox nobody can tell: no line.",
        "none",
        _GRAPH,
        {"{{mechanism}}": "max by (mechanism) (mechanism:ipc_messages:in_flight)"},
    )
    return in_mechanism_colours(panel, mechanisms).axis_soft_max(10)


def _refused(mechanisms: list[str]) -> timeseries.Panel:
    errors = f"sum by (mechanism, errno) (rate(ipc_send_errors_total{WINDOW}))"
    panel = graph(
        "What does the kernel refuse?",
        "Failed attempts of producers to open or to send, a second, by errno; in plain words where no system call "
        "failed and the lab itself cannot go on. A mechanism that has none lies on zero, under its bare name. Solid, "
        "ENOENT and EAI_AGAIN, thick, ECONNREFUSED, ENXIO and not ready: nobody is there. Thick and dashed, "
        "ENETUNREACH, thick and dotted, EHOSTUNREACH: no way there. Dashed, EPIPE and EIDRM, long dashes, ECONNRESET "
        "and removed: the other side has gone. Dotted, EAGAIN and full: full. Dash-dot, ETIMEDOUT and ENOSPC: silent, "
        "or no space; of a ring: damaged.",
        "suffix: /s",
        _GRAPH,
        {"{{mechanism}} {{errno}}": f"{errors} > 0 or {rate('ipc_send_errors_total')} == 0"},
    )
    lines.by_last_word(panel, lines.OF_ERRNO)
    return in_mechanism_colours(panel, mechanisms).axis_soft_max(1)


def _wrong(mechanisms: list[str]) -> timeseries.Panel:
    panel = graph(
        "What arrived, but not as it was sent?",
        "A second. Solid: corrupt, what arrived was no message. Dashed: a message that came again. Dotted: one that "
        "came after a later one, as priorities and datagrams may. On a healthy lab all are zero.",
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
        "How is each pair set?",
        "What ./lab load and ./lab lock changed shows here: the rate that is asked for, the size of a message, what is "
        "switched on where there is a switch, how the consumer waits, and whether several consumers share the mailbox.",
        Place(24, 13),
        [
            Column("Asked for", "sum by (mechanism) (ipc_load_rate)", 120, MESSAGES_PER_SECOND, 0),
            Column("Message size", "max by (mechanism) (ipc_message_size_bytes)", 120, "bytes"),
            Column("lock", switch("sync"), 80, words=_ON_OFF),
            Column("lock", switch("lock"), 80, words=_ON_OFF),
            Column("fsync", switch("fsync"), 80, words=_ON_OFF),
            Column("Consumer waits by", 'max by (mechanism, wait) (ipc_wait_info{role="consumer"})', 150, label="wait"),
            Column("Mailbox shared", "max by (mechanism) (ipc_channel_shared)", 130, words={0: "no", 1: "yes"}),
        ],
    ).override_by_name("Mechanism", coloured_names(mechanisms))
