"""Tables: a row for each mechanism, side or object, and a column for each query."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from grafana_foundation_sdk.builders import common, prometheus, table
from grafana_foundation_sdk.builders.dashboard import ThresholdsConfig
from grafana_foundation_sdk.models.common import TableColoredBackgroundCellOptions, TableColorTextCellOptions
from grafana_foundation_sdk.models.dashboard import (
    DataTransformerConfig,
    DynamicConfigValue,
    Threshold,
    ThresholdsMode,
    ValueMap,
    ValueMapping,
    ValueMappingResult,
)
from grafana_foundation_sdk.models.prometheus import PromQueryFormat

from dashboards import document
from dashboards.panels import REF_IDS, Place
from labctl.terminal import colours

# Else a key of hexadecimal digits, and now and then a container's id, would be shown as the number it looks like.
_AS_TEXT = DynamicConfigValue("unit", "string")


@dataclass(frozen=True)
class Column:
    """One column of a table: its header, the instant query that fills it, and how its cells are shown.

    With `label`, the cells are that label of the query's series; otherwise they are its values. With
    `green_from_zero`, a cell that is a number is green, and one that is a word is red, but for the word `neither`.
    `words` are shown instead of the values they stand for. Columns without a width share what is left.
    """

    header: str
    expr: str
    width: int | None = 100
    unit: str = "none"
    decimals: int | None = None
    label: str = ""
    alarm_above_zero: bool = False
    green_from_zero: bool = False
    words: Mapping[int, str] = field(default_factory=dict)
    neither: str = ""


def one_row_each(
    keys: Mapping[str, str],
    title: str,
    description: str,
    place: Place,
    columns: Iterable[Column],
    widths: Mapping[str, int] | None = None,
    *,
    last_first: bool = False,
) -> table.Panel:
    """A table with one row for each combination of the labels that are `keys`, and one column for each query.

    `keys` maps a label to its header, `widths` a header to its width. The queries must have no other label (the
    column's own excepted), or Grafana cannot merge their rows into one. The rows are in the order of the first key.
    """
    panel = (
        table.Panel()
        .title(title)
        .description(description)
        .span(place.width)
        .height(place.height)
        .unit("none")
        .min_width(60)
        .sort_by([common.TableSortByFieldState().display_name(next(iter(keys.values()))).desc(last_first)])
    )
    names = dict(keys)
    hidden = ["Time"]
    columns = list(columns)
    for ref_id, column in zip(REF_IDS, columns, strict=False):
        panel.with_target(
            prometheus.Dataquery().ref_id(ref_id).expr(column.expr).instant().format(PromQueryFormat.TABLE)
        )
        values = f"Value #{ref_id}" if len(columns) > 1 else "Value"  # Grafana's names, with several queries and one
        names[column.label or values] = column.header
        if column.label:
            hidden.append(values)
        panel.override_by_name(column.header, _shown_as(column))
    for header in keys.values():
        panel.override_by_name(header, [_AS_TEXT])
    for header, width in (widths or {}).items():
        panel.override_by_name(header, [DynamicConfigValue("custom.width", width)])
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
    """The properties of a column of mechanism names that show each in its colour, and lead to its own dashboard."""
    mapping: ValueMapping = ValueMap(
        {n: ValueMappingResult(text=n, color=colours.of_mechanism(n), index=i) for i, n in enumerate(names)}
    )
    link = {"title": "All about it", "url": document.path("mechanism", "?var-mechanism=${__value.text}")}
    return [
        DynamicConfigValue("mappings", [mapping]),
        DynamicConfigValue("custom.cellOptions", TableColorTextCellOptions()),
        DynamicConfigValue("links", [link]),
    ]


def _shown_as(column: Column) -> list[DynamicConfigValue]:
    properties = [] if column.width is None else [DynamicConfigValue("custom.width", column.width)]
    is_text = column.label and not column.green_from_zero
    properties.append(_AS_TEXT if is_text else DynamicConfigValue("unit", column.unit))
    if column.words:
        words: ValueMapping = ValueMap({str(v): ValueMappingResult(text=text) for v, text in column.words.items()})
        properties.append(DynamicConfigValue("mappings", [words]))
    if column.decimals is not None:
        properties.append(DynamicConfigValue("decimals", column.decimals))
    if column.alarm_above_zero:
        properties += _on_background(Threshold(None, "transparent"), Threshold(1, colours.ALARM))
    if column.green_from_zero:
        # What is no number is below every threshold.
        properties += _on_background(Threshold(None, colours.REFUSED), Threshold(0, colours.REACHED))
        properties.append(DynamicConfigValue("custom.displayMode", "color-background"))  # for Grafana before 9.4
        grey: ValueMapping = ValueMap({column.neither: ValueMappingResult(text=column.neither, color=colours.NOTHING)})
        properties.append(DynamicConfigValue("mappings", [grey]))
    return properties


def _on_background(*steps: Threshold) -> list[DynamicConfigValue]:
    thresholds = ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(list(steps)).build()
    return [
        DynamicConfigValue("thresholds", thresholds),
        DynamicConfigValue("custom.cellOptions", TableColoredBackgroundCellOptions()),
    ]
