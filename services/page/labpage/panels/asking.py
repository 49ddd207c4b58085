"""What a panel is drawn for: the choices at the top, the time range, the language; and how it asks Prometheus."""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from labpage.panels import promql
from labpage.panels.definition import Dashboard, Panel, Query, Variable
from labpage.panels.results import legend
from labpage.panels.translation import Translation
from labpage.prometheus import Line, Sample


class Asked(Protocol):
    """The part of `labpage.prometheus.Prometheus` that panels need."""

    async def query(self, expression: str, every_s: float = 1.0) -> list[Sample]:
        """The series now."""

    async def query_range(self, expression: str, span_s: float, step_s: float, every_s: float = 1.0) -> list[Line]:
        """The series over time."""


@dataclass(frozen=True)
class Request:
    """One look at a dashboard. `chosen` has the text of each variable's choice."""

    board: Dashboard
    chosen: Mapping[str, str]
    range_s: int
    every_s: float
    translation: Translation

    def filled_in(self, expr: str, step: float) -> str:
        """A query as Prometheus gets it."""
        return promql.filled_in(expr, self.chosen, self._variables(), step, self.range_s)

    def _variables(self) -> dict[str, Variable]:
        return {variable.name: variable for variable in self.board.variables}


@dataclass(frozen=True)
class Named:
    """A line of a graph, by points at equal distances from `start_s` on; None where there was nothing."""

    name: str
    labels: Mapping[str, str]
    values: Sequence[float | None]


@dataclass(frozen=True)
class Lines:
    """All lines of a panel, over the same moments."""

    start_s: float
    step_s: int
    count: int
    named: Sequence[Named]

    @property
    def end_s(self) -> float:
        """The last moment."""
        return self.start_s + (self.count - 1) * self.step_s


async def lines(panel: Panel, request: Request, prometheus: Asked) -> Lines:
    """What the range queries of a panel give.

    :raises PrometheusSilent: it does not answer
    """
    step = promql.step_s(panel, request.range_s)
    span = math.ceil(request.range_s / step) * step
    every = max(request.every_s, float(step))
    answers = await asyncio.gather(
        *(prometheus.query_range(request.filled_in(q.expr, step), span, step, every) for q in panel.queries)
    )
    count = span // step + 1
    # An answer may be as old as its interval; one that is older has no points because nothing was there.
    last = max((line.times[-1] for found in answers for line in found if line.times), default=0.0)
    end = time.time() // step * step
    start = (last if end - last <= every + step else end) - span
    named = [
        Named(legend(query.legend, line.labels), line.labels, _even(line, start, step, count))
        for query, found in zip(panel.queries, answers, strict=True)
        for line in found
    ]
    return Lines(start, step, count, named)


async def samples(panel: Panel, request: Request, prometheus: Asked) -> list[tuple[Query, list[Sample]]]:
    """What the instant queries of a panel give.

    :raises PrometheusSilent: it does not answer
    """
    step = promql.step_s(panel, request.range_s)
    answers = await asyncio.gather(
        *(prometheus.query(request.filled_in(query.expr, step), request.every_s) for query in panel.queries)
    )
    return list(zip(panel.queries, answers, strict=True))


def _even(line: Line, start: float, step: int, count: int) -> list[float | None]:
    values: list[float | None] = [None] * count
    for moment, value in zip(line.times, line.values, strict=True):
        index = round((moment - start) / step)
        if 0 <= index < count and math.isfinite(value):
            values[index] = value
    return values
