"""Panels that stand on more than one dashboard, so that they look the same on each."""

from __future__ import annotations

from grafana_foundation_sdk.builders import timeseries

from dashboards import promql
from dashboards.lines import counterpart, in_mechanism_colours, logarithmic
from dashboards.panels import MESSAGES_PER_SECOND, Place, graph
from dashboards.promql import rate


def median(mechanisms: list[str], place: Place) -> timeseries.Panel:
    """Half of the messages are faster."""
    return _latency(
        promql.median(),
        "How long does a message take?",
        "Median time from when a message was due to when it was received, of 5 seconds at a time. One clock "
        "serves all containers of a machine (CLOCK_MONOTONIC), so it is one-way and exact. The scale is logarithmic. "
        "Most of it is the time to wake the consumer, which is why so different mechanisms lie so close together.",
        mechanisms,
        place,
    )


def slowest(mechanisms: list[str], place: Place) -> timeseries.Panel:
    """One message in a hundred is slower."""
    return _latency(
        promql.slowest(),
        "How long do the slowest 1 % take?",
        "99th percentile of the time from due to received, of 5 seconds at a time: one message in a hundred takes at "
        "least so long. Where a point stands for more than 5 seconds, it is the worst of them. Messages are due on a "
        "schedule, whatever happens to those before; so a stall of a mechanism shows here in full.",
        mechanisms,
        place,
    )


def flow(mechanisms: list[str], place: Place) -> timeseries.Panel:
    """Received beside sent."""
    panel = graph(
        "Is everything that is sent received?",
        "Solid: what the consumer receives. Dashed: what the producer sends. On a healthy lab all of them lie on top "
        "of each other, because all pairs have the same load. A solid line below its dashed one is messages that are "
        "lost, or that wait in the mechanism; above it, a queue that drains.",
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
