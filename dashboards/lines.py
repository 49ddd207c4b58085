"""How the lines of a graph look: colour, stroke, steps, scale.

Lines of one mechanism have its colour; of several, strokes tell them apart, and the legend has names.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.builders.common import ScaleDistributionConfig
from grafana_foundation_sdk.models.common import HideSeriesConfig, LineInterpolation, ScaleDistribution
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from labctl.terminal import colours


def logarithmic(panel: timeseries.Panel, smallest: float) -> timeseries.Panel:
    """Orders of magnitude, from `smallest` up or from wherever the lines are."""
    return panel.scale_distribution(ScaleDistributionConfig().type(ScaleDistribution.LOG).log(10)).axis_soft_min(
        smallest
    )


def in_steps(panel: timeseries.Panel) -> timeseries.Panel:
    """For what jumps: counts and states have no value in between."""
    return panel.line_interpolation(LineInterpolation.STEP_AFTER).decimals(0)


def in_mechanism_colours(panel: timeseries.Panel, mechanisms: Iterable[str]) -> timeseries.Panel:
    """Give every line whose name begins with a mechanism that mechanism's colour."""
    for mechanism in mechanisms:
        panel.override_by_regexp(f"/^{mechanism}( .*)?$/", [colour(colours.of_mechanism(mechanism))])
    return panel


def colour(code: str) -> DynamicConfigValue:
    """The property that gives a series this colour."""
    return DynamicConfigValue("color", {"mode": "fixed", "fixedColor": code})


def dashed() -> DynamicConfigValue:
    """The property that draws a series as a dashed line."""
    return DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [8, 6]})


def dotted() -> DynamicConfigValue:
    """The property that draws a series as a dotted line."""
    return DynamicConfigValue("custom.lineStyle", {"fill": "dot", "dash": [0, 6]})


def not_in_legend() -> DynamicConfigValue:
    """The property that leaves a series out of the legend; the panel's description has to say what it is."""
    return DynamicConfigValue("custom.hideFrom", HideSeriesConfig(legend=True))


SCALE = "scale"  # how the name begins of a series that is there for the axis alone


def for_the_scale_alone() -> list[DynamicConfigValue]:
    """The properties of a series that the axis counts with and nobody sees: `hideFrom.viz` would leave the axis too."""
    return [
        DynamicConfigValue("custom.lineWidth", 0),
        DynamicConfigValue("custom.fillOpacity", 0),
        DynamicConfigValue("custom.hideFrom", HideSeriesConfig(legend=True, tooltip=True, viz=False)),
    ]


def counterpart() -> list[DynamicConfigValue]:
    """The properties of the second line of a mechanism: dashed, and not in the legend, which has the first."""
    return [dashed(), not_in_legend()]


Stroke = Sequence[DynamicConfigValue]


def _dashes(*dash: int) -> Stroke:
    return (DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": list(dash)}),)


SOLID: Stroke = ()
THICK: Stroke = (DynamicConfigValue("custom.lineWidth", 4),)
DASHED: Stroke = (dashed(),)
LONG_DASHED = _dashes(20, 8)
DOTTED: Stroke = (dotted(),)
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
# As many as there can be types or priorities at once (`ipclab.contract.optional_parts.MOST`).
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
