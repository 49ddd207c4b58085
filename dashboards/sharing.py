"""What several processes have in common: memory (the race of both sides), and a mailbox (who received what).

Panels that stand on more than one dashboard, so that they look the same on each.
"""

from __future__ import annotations

from grafana_foundation_sdk.builders import table, timeseries

from dashboards import lines, promql
from dashboards.lines import counterpart, dashed, in_mechanism_colours, logarithmic
from dashboards.panels import MESSAGES_PER_SECOND, Place, graph
from dashboards.promql import WINDOW, rate
from dashboards.tables import Column, coloured_names, one_row_each
from ipclab.metrics.definitions import PART_OF


def lost_updates(mechanisms: list[str], place: Place) -> timeseries.Panel:
    """Of a counter that both sides change."""
    return _race(
        "The race: how many updates are lost?",
        "Once a second both sides add to one shared counter, up to 500 times within a millisecond, with a lock (lock "
        "on) or without (lock off); ./lab lock switches. The figure is the share of updates that the counter does not "
        "show. With the lock the share is 0. Between load and store each side gives its CPU away (sched_yield), which "
        "makes a loss frequent: the share proves the loss and does not estimate its natural rate. A line ends where "
        "that state of the lock is not measured.",
        "ipc_shared_updates_lost_total",
        "ipc_shared_updates_total",
        mechanisms,
        place,
    )


def torn_reads(mechanisms: list[str], place: Place) -> timeseries.Panel:
    """Of a record that one side writes and the other reads."""
    return _race(
        "The race: how many reads are torn?",
        "One side writes a record of several words while the other side reads it, in the same bursts; in the middle "
        "of a record each side gives its CPU away. The figure is the share of reads that mix two writes. With the "
        "lock (lock on) the share is 0. Without it, a torn read is a value that no side ever wrote.",
        "ipc_shared_records_torn_total",
        "ipc_shared_records_read_total",
        mechanisms,
        place,
    )


def _race(title: str, description: str, part: str, whole: str, mechanisms: list[str], place: Place) -> timeseries.Panel:
    by = "mechanism, sync"
    share = f"{rate(part, by)} / ({rate(whole, by)} > 0)"
    panel = graph(title, description, "percentunit", place, {"{{mechanism}} lock {{sync}}": share})
    panel.override_by_regexp("/ on$/", [dashed()])
    return in_mechanism_colours(panel, mechanisms).axis_soft_max(0.01)


def received_by(mechanisms: list[str], place: Place) -> timeseries.Panel:
    """Which of several consumers took how much."""
    received = f"rate(ipc_messages_received_total{WINDOW})"
    who = 'on (instance) group_left (container) ipc_namespace_info{role="consumer"}'
    panel = graph(
        "How much did each consumer receive?",
        "Messages per second of each consumer container, by the id that docker ps shows. ./lab up --scale starts more "
        "consumers: on a queue they share the messages, and the sum is the rate that is sent. Consumers of one "
        "mechanism have one colour, and a stroke each, by the last digit of the id.",
        MESSAGES_PER_SECOND,
        place,
        {"{{mechanism}} {{container}}": f"sum by (mechanism, container) ({received} * {who})"},
    )
    return in_mechanism_colours(lines.by_last_digit(panel), mechanisms)


def by_class(mechanisms: list[str], place: Place) -> timeseries.Panel:
    """What consumers that pick took."""
    classes = rate("ipc_messages_received_by_class_total", "mechanism, kind, number")
    panel = graph(
        "Which types and priorities were received?",
        "Messages per second by type (System V) or priority (POSIX), of mechanisms with several of them: "
        "LAB_SYSV_MQ_TYPES and LAB_POSIX_MQ_PRIORITIES set the number. Each has a stroke of its own, which the legend "
        "shows. A bare name: one type or priority only.",
        MESSAGES_PER_SECOND,
        place,
        {"{{mechanism}} {{kind}} {{number}}": f"{classes} or on (mechanism) {rate('ipc_messages_received_total')}"},
    )
    return in_mechanism_colours(lines.by_last_digit(panel), mechanisms)


def median(mechanisms: list[str], place: Place) -> timeseries.Panel:
    """Half of the messages are faster."""
    return _latency(
        promql.median(),
        "How long does a message take?",
        "Median time from due to received, over 5 seconds at a time. All containers of a machine share one clock "
        "(CLOCK_MONOTONIC), so the latency is one-way and exact. The scale is logarithmic. At a low load, a message "
        "of 1 KiB spends more time in the interpreters and in the wake-up of the consumer than in copying, so "
        "different mechanisms lie close together. Speed and its price has the parts.",
        mechanisms,
        place,
    )


def slowest(mechanisms: list[str], place: Place) -> timeseries.Panel:
    """One message in a hundred is slower."""
    return _latency(
        promql.slowest(),
        "How long do the slowest 1 % take?",
        "99th percentile of the time from due to received, over 5 seconds at a time: one message in a hundred takes "
        "at least that long. A point that stands for more than 5 seconds is the worst of them. Messages are due on a "
        "fixed schedule, so a stall of a mechanism shows in full.",
        mechanisms,
        place,
    )


def parts(mechanisms: list[str], place: Place) -> table.Panel:
    """Where the time of a message goes, in the order in which it passes."""

    def part(name: str) -> str:
        return promql.largest("mechanism_part:ipc_message_part_seconds:p50_5s", where=f'part="{name}"')

    return one_row_each(
        {"mechanism": "Mechanism"},
        "Where does the time of a message go?",
        f"Parts of one message in {PART_OF}, over the last 5 seconds. Late: from due until the producer began to "
        "send; the cause is its timer and the scheduler, not the mechanism. Send: header, checksum and system call. "
        "In the channel: the rest until the consumer had the message: the kernel, a CPU that was asleep, the "
        "wake-up, the interpreter of the consumer; 0 if the consumer had the message before send returned. These "
        "three and the latency are medians. Wake is a part of the channel: from woken to running on a CPU, a mean "
        "that the kernel counts (schedstat); on a busy machine it is the longest part. Check: checksum and accounts, "
        "after the latency.",
        place,
        [
            Column("Late", part("late"), 110, "s", 0),
            Column("Send", part("send"), 110, "s", 0),
            Column("In the channel", promql.largest("mechanism:ipc_message_channel_seconds:p50_5s"), 120, "s", 0),
            Column("Wake", promql.largest("mechanism:ipc_wake_seconds:mean5s"), 110, "s", 0),
            Column("Median latency", promql.largest("mechanism:ipc_one_way_latency_seconds:p50_5s"), 130, "s", 0),
            Column("Check", part("check"), 110, "s", 0),
        ],
        {"Mechanism": 140},
    ).override_by_name("Mechanism", coloured_names(mechanisms))


def flow(mechanisms: list[str], place: Place) -> timeseries.Panel:
    """Received beside sent."""
    panel = graph(
        "Is everything that is sent received?",
        "Solid: messages that the consumer receives. Dashed: messages that the producer sends. On a healthy lab all "
        "lines lie on top of each other, because all pairs have the same load. A solid line below its dashed line "
        "means messages that are lost or wait in the mechanism; above it, a queue that drains.",
        MESSAGES_PER_SECOND,
        place,
        {
            "{{mechanism}}": rate("ipc_messages_received_total"),
            "{{mechanism}} sent": rate("ipc_messages_sent_total"),
        },
    )
    panel.override_by_regexp("/ sent$/", counterpart())
    return in_mechanism_colours(panel, mechanisms)


def _latency(query: str, title: str, description: str, mechanisms: list[str], place: Place) -> timeseries.Panel:
    panel = graph(title, description, "s", place, {"{{mechanism}}": query})
    return in_mechanism_colours(logarithmic(panel, 1e-5), mechanisms)
