"""What all panels have in common, so that a dashboard's module says only what is particular to each.

No panel and no query names a data source: the default one serves, in old Grafanas and new.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from grafana_foundation_sdk.builders import common, prometheus, table, text, timeseries
from grafana_foundation_sdk.builders.dashboard import Dashboard, ThresholdsConfig, TimePicker
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.common import (
    GraphDrawStyle,
    HideSeriesConfig,
    LegendDisplayMode,
    LegendPlacement,
    SortOrder,
    TableColoredBackgroundCellOptions,
    TableColorTextCellOptions,
    TooltipDisplayMode,
    VisibilityMode,
)
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DataTransformerConfig,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat
from grafana_foundation_sdk.models.text import TextMode

from dashboards import colours

# What the window of a rate is: at least four scrapes, and never less than the distance of two points.
WINDOW = "[$__rate_interval]"

MESSAGES_PER_SECOND = "suffix: msg/s"

_REF_IDS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True)
class Place:
    """Where a panel lies on Grafana's grid: 24 columns, rows of 38 pixels."""

    width: int
    height: int


@dataclass(frozen=True)
class Column:
    """One column of a table: its header, the instant query that fills it, and how its cells are shown.

    With `label`, the cells are that label of the query's series; otherwise they are its values.
    """

    header: str
    expr: str
    width: int = 100
    unit: str = "none"
    decimals: int | None = None
    label: str = ""
    alarm_above_zero: bool = False


def new_dashboard(uid: str, title: str, description: str) -> Dashboard:
    """A dashboard that shows the last five minutes and follows them."""
    return (
        Dashboard(title)
        .uid(uid)
        .description(description)
        .tags(["ipc-lab"])
        .readonly()
        .time("now-5m", "now")
        .refresh("5s")
        .timepicker(TimePicker().refresh_intervals(["1s", "2s", "5s", "10s", "30s", "1m"]))
        .tooltip(DashboardCursorSync.CROSSHAIR)
    )


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
    for ref_id, (legend, expr) in zip(_REF_IDS, queries.items(), strict=False):
        panel.with_target(prometheus.Dataquery().ref_id(ref_id).expr(expr).legend_format(legend).range())
    return panel


def in_mechanism_colours(panel: timeseries.Panel, mechanisms: Iterable[str]) -> timeseries.Panel:
    """Give every line whose name begins with a mechanism that mechanism's colour."""
    for mechanism in mechanisms:
        colour = DynamicConfigValue("color", {"mode": "fixed", "fixedColor": colours.of_mechanism(mechanism)})
        panel.override_by_regexp(f"/^{mechanism}( .*)?$/", [colour])
    return panel


def dashed() -> DynamicConfigValue:
    """The property that draws a series as a dashed line."""
    return DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [8, 6]})


def dotted() -> DynamicConfigValue:
    """The property that draws a series as a dotted line."""
    return DynamicConfigValue("custom.lineStyle", {"fill": "dash", "dash": [2, 5]})


def not_in_legend() -> DynamicConfigValue:
    """The property that leaves a series out of the legend; the panel's description has to say what it is."""
    return DynamicConfigValue("custom.hideFrom", HideSeriesConfig(legend=True))


def counterpart() -> list[DynamicConfigValue]:
    """The properties of the second line of a mechanism: dashed, and not in the legend, which has the first."""
    return [dashed(), not_in_legend()]


def one_row_each(
    key: str, header: str, title: str, description: str, place: Place, columns: Iterable[Column]
) -> table.Panel:
    """A table with one row for each value of the label `key`, and one column for each query.

    The queries must have no other label, or Grafana cannot merge their rows into one.
    """
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .span(place.width)
        .height(place.height)
        .unit("none")
        .min_width(100)
        .sort_by([common.TableSortByFieldState().display_name(header)])
    )
    names = {key: header}
    hidden = ["Time"]
    for ref_id, column in zip(_REF_IDS, columns, strict=False):
        panel.with_target(
            prometheus.Dataquery().ref_id(ref_id).expr(column.expr).instant().format(PromQueryFormat.TABLE)
        )
        values = f"Value #{ref_id}"  # what Grafana calls them once it has merged several queries
        names[column.label or values] = column.header
        if column.label:
            hidden.append(values)
        panel.override_by_name(column.header, _shown_as(column))
    return panel.with_transformation(DataTransformerConfig(id_val="merge", options={})).with_transformation(
        DataTransformerConfig(
            id_val="organize",
            options={
                "excludeByName": dict.fromkeys(hidden, True),
                "indexByName": {name: index for index, name in enumerate(names)},
                "renameByName": names,
            },
        )
    )


def coloured_names(names: Iterable[str]) -> list[DynamicConfigValue]:
    """The properties of a column of mechanism names that show each in its colour."""
    mapping: ValueMapping = ValueMap(
        {n: ValueMappingResult(text=n, color=colours.of_mechanism(n), index=i) for i, n in enumerate(names)}
    )
    return [
        DynamicConfigValue("mappings", [mapping]),
        DynamicConfigValue("custom.cellOptions", TableColorTextCellOptions()),
    ]


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


def to_json(dashboard: Dashboard) -> str:
    """The file that Grafana reads; panels are numbered in the order they were added."""
    document: dict[str, Any] = json.loads(json.dumps(dashboard.build(), cls=JSONEncoder))
    for number, panel in enumerate(document["panels"], start=1):
        panel["id"] = number
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _shown_as(column: Column) -> list[DynamicConfigValue]:
    properties = [DynamicConfigValue("unit", column.unit), DynamicConfigValue("custom.width", column.width)]
    if column.decimals is not None:
        properties.append(DynamicConfigValue("decimals", column.decimals))
    if column.alarm_above_zero:
        steps = [Threshold(None, "transparent"), Threshold(1, colours.ALARM)]
        properties.append(
            DynamicConfigValue("thresholds", ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps).build())
        )
        properties.append(DynamicConfigValue("custom.cellOptions", TableColoredBackgroundCellOptions()))
    return properties
