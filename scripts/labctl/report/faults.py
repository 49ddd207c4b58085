"""The faults in the report: those that were on in its time, and what each did in the last fault matrix."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from labctl.lab.prometheus import Line, Prometheus

_ACTIVE = "max by (fault, mechanism) (ipc_fault_active)"
_KEY = "max by (fault, mechanism)"
_STEPS = 600  # of the time of the report


@dataclass(frozen=True, slots=True)
class Interval:
    """One fault that was on; the times are seconds since 1970."""

    fault: str
    mechanism: str
    begin: float
    end: float

    def in_words(self) -> str:
        """Such as "15:21:07, 20 s"."""
        began = datetime.fromtimestamp(self.begin).astimezone().strftime("%H:%M:%S")
        return f"{began}, {self.end - self.begin:.0f} s"


@dataclass(frozen=True, slots=True)
class Outcome:
    """One cell of the last fault matrix; `back_s` is None where the pair was not back."""

    fault: str
    mechanism: str
    back_s: float | None
    lost: float
    differs: bool


@dataclass(frozen=True, slots=True)
class Faults:
    """What the report says of faults."""

    intervals: Sequence[Interval]
    outcomes: Sequence[Outcome]


def read(prometheus: Prometheus, start: float, end: float) -> Faults:
    """The faults of this time, oldest first, and the last matrix, by fault."""
    step_s = max(1.0, (end - start) / _STEPS)
    lines = prometheus.query_range(_ACTIVE, start, end, step_s)
    found = sorted((it for line in lines for it in intervals(line, step_s)), key=lambda it: it.begin)
    values = {
        name: {
            (sample.labels["fault"], sample.labels.get("mechanism", "")): sample.value
            for sample in prometheus.query(f"{_KEY} ({name})")
        }
        for name in ("ipc_fault_back_seconds", "ipc_fault_lost_messages", "ipc_fault_differs")
    }
    back, lost, differs = values.values()
    outcomes = [Outcome(*key, back.get(key), lost.get(key, 0.0), bool(differs[key])) for key in sorted(differs)]
    return Faults(found, outcomes)


def intervals(line: Line, step_s: float) -> list[Interval]:
    """The times in which a series was there without a gap of more than two steps."""
    found: list[Interval] = []
    begin = last = None
    for time in line.times:
        if begin is None or last is None:
            begin = time
        elif time - last > 2 * step_s:
            found.append(_interval(line, begin, last + step_s))
            begin = time
        last = time
    return [*found, _interval(line, begin, last + step_s)] if begin is not None and last is not None else found


def _interval(line: Line, begin: float, end: float) -> Interval:
    return Interval(line.labels["fault"], line.labels.get("mechanism", ""), begin, end)
