"""How the lines of a graph look: colour, stroke, steps, scale."""

from __future__ import annotations

from collections.abc import Iterable

from grafana_foundation_sdk.builders import timeseries
from grafana_foundation_sdk.builders.common import ScaleDistributionConfig
from grafana_foundation_sdk.models.common import HideSeriesConfig, LineInterpolation, ScaleDistribution
from grafana_foundation_sdk.models.dashboard import DynamicConfigValue

from dashboards import colours


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
