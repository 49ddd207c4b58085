"""Marks on the time axis: what Prometheus shows to have happened, whoever did it."""

from __future__ import annotations

import asyncio
from typing import Any

from labpage.panels.asking import Asked, Request
from labpage.panels.definition import Mark
from labpage.panels.results import legend

_MOST_POINTS = 11_000


async def happened(request: Request, prometheus: Asked) -> list[dict[str, Any]]:
    """The events of a dashboard in their order: `at` in milliseconds since 1970.

    :raises PrometheusSilent: Prometheus does not answer
    """
    found = await asyncio.gather(*(_of(mark, request, prometheus) for mark in request.board.marks))
    return sorted((event for events in found for event in events), key=lambda event: float(event["at"]))


async def _of(mark: Mark, request: Request, prometheus: Asked) -> list[dict[str, Any]]:
    step = max(mark.step_s, float(-(-request.range_s // _MOST_POINTS)))
    expr = request.filled_in(mark.expr, step)
    events = []
    for line in await prometheus.query_range(expr, request.range_s, step, max(request.every_s, step)):
        before = float("-inf")
        for moment, value in zip(line.times, line.values, strict=True):
            # Points side by side are one event that was seen more than once. A zero is no event, as in Grafana.
            if value > 0 and moment - before > 1.5 * step:
                events.append(
                    {
                        "at": moment * 1000,
                        "what": request.translation(mark.name),
                        "text": legend(request.translation(mark.title), line.labels),
                        "colour": mark.colour,
                    }
                )
            before = moment if value > 0 else before
    return events
