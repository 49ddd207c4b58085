"""Lines of one mechanism have its colour; of several, strokes tell them apart, and the legend has names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from dashboards import lines

Stroke = Sequence[DynamicConfigValue]


def _dashes(*dash: int) -> Stroke:
    return (DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": list(dash)}),)


SOLID: Stroke = ()
THICK: Stroke = (DynamicConfigValue("custom.lineWidth", 4),)
DASHED: Stroke = (lines.dashed(),)
LONG_DASHED = _dashes(20, 8)
DOTTED: Stroke = (lines.dotted(),)
DASH_DOT = _dashes(12, 5, 2, 5)

# Those that one mechanism may have, as its `Traits` say, differ; another errno is drawn solid.
OF_ERRNO: Mapping[str, Stroke] = {
    # nobody there
    "ENOENT": SOLID,
    "EAI_AGAIN": SOLID,
    "EAI_NONAME": (*THICK, *LONG_DASHED),
    "ENETUNREACH": (*THICK, *DASHED),
    "EHOSTUNREACH": (*THICK, *DOTTED),
    "ECONNREFUSED": THICK,
    "ENXIO": THICK,
    # the other side has gone
    "EPIPE": DASHED,
    "EIDRM": DASHED,
    "removed": LONG_DASHED,
    "ECONNRESET": LONG_DASHED,
    # full, or silent
    "EAGAIN": DOTTED,
    "ETIMEDOUT": DASH_DOT,
    "ENOSPC": DASH_DOT,
    "full": DOTTED,
    # of a ring, which no system call knows
    "not ready": THICK,
    "damaged": DASH_DOT,
}
OF_REASON: Mapping[str, Stroke] = {"channel": SOLID, "consumer_restart": DASHED, "producer_restart": LONG_DASHED}
# As many as there can be types or priorities at once (`ipclab.contract.optional.MOST`).
_IN_ORDER = (SOLID, DASHED, DOTTED, DASH_DOT, LONG_DASHED, THICK, (*THICK, *DASHED), (*THICK, *DOTTED))


def by_last_word(panel: timeseries.Panel, strokes: Mapping[str, Stroke]) -> timeseries.Panel:
    """Give every line whose name ends with one of the words that word's stroke."""
    for word, stroke in strokes.items():
        if stroke:
            panel.override_by_regexp(f"/ {word}$/", list(stroke))
    return panel


def by_last_digit(panel: timeseries.Panel) -> timeseries.Panel:
    """Give lines whose names end with neighbouring numbers, decimal or hexadecimal, different strokes; 1 is solid."""
    for first, stroke in enumerate((*_IN_ORDER[-1:], *_IN_ORDER[:-1])):
        digits = "".join(f"{digit:x}" for digit in range(first, 16, len(_IN_ORDER)))
        if stroke:
            panel.override_by_regexp(f"/ [0-9a-fx]*[{digits}]$/", list(stroke))
    return panel
