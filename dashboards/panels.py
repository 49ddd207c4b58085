"""What all panels have in common, so that a dashboard's module says only what is particular to each.

No panel and no query names a data source: the default one serves, in old Grafanas and new.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from grafana_foundation_sdk.builders import common, heatmap, prometheus, stat, statetimeline, text, timeseries
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.common import (
    AxisPlacement,
    BigValueColorMode,
    BigValueGraphMode,
    GraphDrawStyle,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.heatmap import HeatmapColorMode
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from grafana_foundation_sdk.models.text import TextMode

from dashboards.promql import WINDOW
from labctl.terminal import colours

MESSAGES_PER_SECOND = "suffix: msg/s"
# Of what looks back over at least 4 s. Five minutes are then asked for every 5 s (Grafana rounds), over 6 s each; every
# second would cost Prometheus five times as much: docs/decisions/0025-dashboard-query-cost.md
_POINTS = 80
# Of what is asked every few seconds only: five minutes every 2 s.
SELDOM = 150
REF_IDS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Place:
    """How large a panel is on Grafana's grid: 24 columns, rows of 38 pixels. 18 rows fill a screen of 1280 by 720."""

    width: int
    height: int


def graph(title: str, description: str, unit: str, place: Place, queries: Mapping[str, str]) -> timeseries.Panel:
    """Lines over time, from zero; `queries` maps a legend to its expression."""
    panel = (
        timeseries.Panel()
        .title(title)
        .description(description)
        .unit(unit)
        .span(place.width)
        .height(place.height)
        .draw_style(GraphDrawStyle.LINE)
        .line_width(2)
        .fill_opacity(0)
        .axis_soft_min(0)
        .show_points(VisibilityMode.NEVER)
        .span_nulls(False)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
        )
        .tooltip(common.VizTooltipOptions().mode(TooltipDisplayMode.MULTI).sort(SortOrder.DESCENDING))
    )
    if any(WINDOW in expr for expr in queries.values()):
        panel.max_data_points(_POINTS)
    for ref_id, (legend, expr) in zip(REF_IDS, queries.items(), strict=False):
        panel.with_target(prometheus.Dataquery().ref_id(ref_id).expr(expr).legend_format(legend).range())
    return panel


def one_number(title: str, description: str, unit: str, place: Place, query: str, *, alarm: bool = False) -> stat.Panel:
    """The last value, large, and its way there; with `alarm`, anything above zero is coloured."""
    steps = [Threshold(None, colours.CALM), *([Threshold(1, colours.ALARM)] if alarm else [])]
    panel = (
        stat.Panel()
        .title(title)
        .description(description)
        .unit(unit)
        .span(place.width)
        .height(place.height)
        .color_mode(BigValueColorMode.VALUE)
        .graph_mode(BigValueGraphMode.NONE)
        .thresholds(ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps))
        .with_target(prometheus.Dataquery().ref_id("A").expr(query).legend_format(title).range())
    )
    return panel.max_data_points(_POINTS) if WINDOW in query else panel


def latency_heatmap(title: str, description: str, place: Place, query: str) -> heatmap.Panel:
    """How many messages took how long; `query` yields the buckets by `le`."""
    return (
        heatmap.Panel()
        .title(title)
        .description(description)
        .unit("s")
        .span(place.width)
        .height(place.height)
        .calculate(False)
        .color(heatmap.HeatmapColorOptions().mode(HeatmapColorMode.SCHEME).scheme("Viridis").steps(32))
        .cell_values(heatmap.CellValues().unit(MESSAGES_PER_SECOND))
        .filter_values(heatmap.FilterValueRange().le(1e-9))
        .y_axis(heatmap.YAxisConfig().axis_placement(AxisPlacement.LEFT).unit("s").decimals(0))
        .max_data_points(_POINTS)  # so each moment is wide enough to be seen, too
        .show_legend()
        .tooltip(heatmap.HeatmapTooltip().mode(TooltipDisplayMode.SINGLE).y_histogram(True).show_color_scale(True))
        .with_target(
            prometheus.Dataquery()
            .ref_id("A")
            .expr(query)
            .legend_format("{{le}}")
            .format(PromQueryFormat.HEATMAP)
            .range()
        )
    )


def note(title: str, description: str, place: Place, markdown: str) -> text.Panel:
    """A panel of text."""
    return (
        text.Panel()
        .title(title)
        .description(description)
        .span(place.width)
        .height(place.height)
        .mode(TextMode.MARKDOWN)
        .content(markdown)
    )


def state_timeline(
    title: str, description: str, place: Place, query: str, states: Mapping[int, tuple[str, str]]
) -> statetimeline.Panel:
    """A bar for each mechanism, in pieces of one state; `states` maps a value to its word and colour."""
    mapping: ValueMapping = ValueMap(
        {
            str(value): ValueMappingResult(text=word, color=colour, index=index)
            for index, (value, (word, colour)) in enumerate(states.items())
        }
    )
    return (
        statetimeline.Panel()
        .title(title)
        .description(description)
        .unit("none")
        .span(place.width)
        .height(place.height)
        .mappings([mapping])
        .merge_values(True)
        .row_height(0.85)
        .show_value(VisibilityMode.AUTO)
        .max_data_points(SELDOM)
        .legend(
            common.VizLegendOptions()
            .show_legend(True)
            .display_mode(LegendDisplayMode.LIST)
            .placement(LegendPlacement.BOTTOM)
        )
        .with_target(prometheus.Dataquery().ref_id("A").expr(query).legend_format("{{mechanism}}").range())
    )
