"""Moments of a history at which a state had lasted for the window over which Prometheus records figures."""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence

from labctl.lab.prometheus import Line
from labctl.measured.pairs import SETTLED_AFTER_S

_LONGEST_GAP_S = 5  # scrapes that failed: a longer one may hide another state


def settled(lines: Sequence[Line], holds: Callable[[float], bool], after_s: float = SETTLED_AFTER_S) -> list[float]:
    """The moments at which `holds` was true of the series for `after_s` seconds without a break.

    :param lines: a history of one series, or none
    """
    found: list[float] = []
    for line in lines:
        since = last = math.nan
        for moment, value in zip(line.times, line.values, strict=True):
            if not holds(value):
                since = last = math.nan
                continue
            if math.isnan(since) or moment - last > _LONGEST_GAP_S:
                since = moment
            last = moment
            if moment - since >= after_s:
                found.append(moment)
    return found


def values_at(lines: Sequence[Line], moments: Collection[float]) -> list[float]:
    """The values of a history of one series at these moments, as far as it has any."""
    wanted = set(moments)
    return [
        value
        for line in lines
        for moment, value in zip(line.times, line.values, strict=True)
        if moment in wanted and not math.isnan(value)
    ]


def longest_run_s(lines: Sequence[Line], holds: Callable[[float], bool]) -> float:
    """The longest time in seconds for which `holds` was true without a break."""
    longest = 0.0
    for line in lines:
        since = last = math.nan
        for moment, value in zip(line.times, line.values, strict=True):
            if not holds(value):
                since = last = math.nan
                continue
            if math.isnan(since) or moment - last > _LONGEST_GAP_S:
                since = moment
            last = moment
            longest = max(longest, moment - since)
    return longest
