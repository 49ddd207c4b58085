"""What several processes have in common: memory (the race of both sides), and a mailbox (who received what)."""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries

from dashboards import strokes
from dashboards.lines import dashed, in_mechanism_colours
from dashboards.panels import MESSAGES_PER_SECOND, Place, graph
from dashboards.promql import WINDOW, rate


def lost_updates(mechanisms: list[str], place: Place) -> timeseries.Panel:
    """Of a counter that both sides change."""
    return _race(
        "The race: how many updates are lost?",
        "Once a second both sides add to one shared counter, up to 500 times within a millisecond, with a lock around "
        "it (lock on) or without (lock off): ./lab lock switches. The share of updates that the counter does not show. "
        "With the lock it is 0. Between load and store each side gives its CPU away (sched_yield), or a loss would be "
        "rare: the share says that it happens, not how often it would by itself. A line ends where nothing is measured "
        "that way.",
        "ipc_shared_updates_lost_total",
        "ipc_shared_updates_total",
        mechanisms,
        place,
    )


def torn_reads(mechanisms: list[str], place: Place) -> timeseries.Panel:
    """Of a record that one side writes and the other reads."""
    return _race(
        "The race: how many reads are torn?",
        "One side writes a record of several words while the other reads it, in the same bursts; in the middle of a "
        "record a side gives its CPU away. The share of reads whose words are not of one time. With the lock (lock on) "
        "it is 0; without, each is a value that nobody ever wrote.",
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
        "Who received what?",
        "Messages a second of each consumer container, by the id that docker ps shows. Start more consumers with "
        "./lab up --scale: on a queue they share the messages, and the sum stays what is sent. Those of one mechanism "
        "have its colour, and a stroke each, by the last digit of the id.",
        MESSAGES_PER_SECOND,
        place,
        {"{{mechanism}} {{container}}": f"sum by (mechanism, container) ({received} * {who})"},
    )
    return in_mechanism_colours(strokes.by_last_digit(panel), mechanisms)


def by_class(mechanisms: list[str], place: Place) -> timeseries.Panel:
    """What consumers that pick took."""
    classes = rate("ipc_messages_received_by_class_total", "mechanism, kind, number")
    panel = graph(
        "Which types and priorities were received?",
        "Messages a second by their type (System V) or priority (POSIX), of mechanisms that have several at the "
        "moment: LAB_SYSV_MQ_TYPES and LAB_POSIX_MQ_PRIORITIES say how many. Each has a stroke of its own, which the "
        "legend shows. Under a bare name: one kind only.",
        MESSAGES_PER_SECOND,
        place,
        {"{{mechanism}} {{kind}} {{number}}": f"{classes} or on (mechanism) {rate('ipc_messages_received_total')}"},
    )
    return in_mechanism_colours(strokes.by_last_digit(panel), mechanisms)
