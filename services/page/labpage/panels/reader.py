"""`dashboards/json/*.json` into `definition`: Grafana's names of options end here.

Reference: https://grafana.com/docs/grafana/latest/dashboards/build-dashboards/view-dashboard-json-model/
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from labpage.panels import looks
from labpage.panels.definition import (
    Dashboard,
    Kind,
    Mark,
    Merge,
    Option,
    Organize,
    Panel,
    Place,
    Query,
    SortBy,
    Transformation,
    Variable,
)
from labpage.panels.options import Options, UnknownOptionError

# From the whole lab to one mechanism: as dashboards/ lists them, which a test compares.
ORDER = ("start", "hosts", "speed", "kernel", "mechanism", "faults")
_ALL = "$__all"
_SECONDS = {"s": 1, "m": 60, "h": 3600}
_COLUMNS, _SPECTRUM = 24, "Viridis"


def read_all(directory: Path) -> dict[str, Dashboard]:
    """The dashboards of a folder by name (file name without suffix), in `ORDER`.

    :raises UnknownOptionError: one has an option that the page does not draw
    """
    found = {path.stem for path in directory.glob("*.json")}
    names = [name for name in ORDER if name in found] + sorted(found - set(ORDER))
    return {name: read(name, json.loads((directory / f"{name}.json").read_text(encoding="utf-8"))) for name in names}


def read(name: str, document: Mapping[str, Any]) -> Dashboard:
    """One dashboard.

    :raises UnknownOptionError: it has an option that the page does not draw
    """
    board = Options(document, name)
    for ignored in ("schemaVersion", "tags", "uid", "fiscalYearStartMonth"):
        board.take(ignored)  # of Grafana's own bookkeeping: nothing of it is seen
    board.must_be("editable", False)
    board.must_be("graphTooltip", 1)
    board.must_be("timezone", "browser")
    with board.part("timepicker") as picker:
        picker.take("refresh_intervals")  # a list for Grafana's button; the page has its own
        picker.must_be("hidden", False)
    board.take("links")  # the list of all dashboards, which the page has at its top
    with board.part("time") as time:
        time.must_be("to", "now")
        since = re.fullmatch(r"now-(\d+)([smh])", time.take("from"))
    if since is None:
        raise UnknownOptionError(f"{name}.time.from: expected now-5m or the like")
    marks, elsewhere = _marks(board)
    with board.part("templating") as templating:
        variables = [_variable(options) for options in templating.each("list")]
    every = re.fullmatch(r"(\d+)([smh])", board.take("refresh"))
    if every is None:
        raise UnknownOptionError(f"{name}.refresh: expected 5s or the like")
    made = Dashboard(
        name=name,
        title=board.take("title"),
        description=board.take("description", ""),
        panels=[_panel(options) for options in board.each("panels")],
        variables=variables,
        marks=marks,
        in_grafana_only=elsewhere,
        range_s=int(since[1]) * _SECONDS[since[2]],
        refresh_s=int(every[1]) * _SECONDS[every[2]],
    )
    board.finish()
    return made


def _panel(options: Options) -> Panel:
    title = options.take("title")
    options.where = f"{options.where} {title!r}"
    kind = Kind(options.take("type"))
    options.must_be("transparent", False)
    options.must_be("repeatDirection", "h")
    with options.part("gridPos") as grid:
        place = Place(grid.take("x"), grid.take("y"), grid.take("w"), grid.take("h"))
    if place.x + place.width > _COLUMNS:
        raise UnknownOptionError(f"{options.where}.gridPos: wider than {_COLUMNS} columns")
    with options.part("fieldConfig") as config:
        with config.part("defaults") as defaults:
            look = looks.of_defaults(defaults)
        overrides = [looks.override(item) for item in config.each("overrides")]
    steps = [_transformation(step) for step in options.each("transformations")]
    particular: dict[str, Any] = {}
    with options.part("options") as own:
        _OPTIONS[kind](own, particular)
    if kind is Kind.HEATMAP:  # what Grafana before 9 reads instead of the options
        for old in ("color", "dataFormat", "hideZeroBuckets", "tooltip", "xAxis", "yAxis", "yBucketBound"):
            options.take(old)
    made = Panel(
        number=options.take("id"),
        title=title,
        description=options.take("description", ""),
        kind=kind,
        place=place,
        queries=[_query(target, kind) for target in options.each("targets")],
        most_points=options.take("maxDataPoints"),
        look=look,
        overrides=overrides,
        transformations=steps,
        **particular,
    )
    options.finish()
    return made


def _query(target: Options, kind: Kind) -> Query:
    instant = target.take("instant", False)
    target.must_be("range", not instant)
    expected = {Kind.HEATMAP: "heatmap", Kind.TABLE: "table", Kind.BAR_CHART: "table"}.get(kind, "time_series")
    target.must_be("format", expected)
    made = Query(target.take("refId"), target.take("expr"), target.take("legendFormat", ""), instant)
    target.finish()
    return made


def _transformation(step: Options) -> Transformation:
    name = step.take("id")
    made: Transformation
    with step.part("options") as options:
        if name == "merge":
            made = Merge()
        elif name == "sortBy":
            (by,) = options.each("sort")
            by.must_be("desc", False)
            made = SortBy(by.take("field"))
            by.finish()
        elif name == "organize":
            hidden = {field for field, is_hidden in options.take("excludeByName", {}).items() if is_hidden}
            made = Organize(frozenset(hidden), options.take("indexByName", {}), options.take("renameByName", {}))
        else:
            raise UnknownOptionError(f"{step.where}: the page does not know the transformation {name!r}")
    step.finish()
    return made


def _legend(own: Options, particular: dict[str, Any]) -> None:
    with own.part("legend") as legend:
        legend.must_be("calcs", [])
        legend.must_be("displayMode", "list")
        legend.must_be("placement", "bottom")
        particular["has_legend"] = legend.take("showLegend", True)
    with own.part("tooltip") as tooltip:
        mode = tooltip.take("mode", "single")
        if mode not in ("single", "multi"):
            raise UnknownOptionError(f"{tooltip.where}.mode: {mode!r} is not drawn")
        particular["tooltip_of_all"] = mode == "multi"
        particular["tooltip_descending"] = tooltip.take("sort") == "desc"


def _time_series(own: Options, particular: dict[str, Any]) -> None:
    _legend(own, particular)


def _state_timeline(own: Options, particular: dict[str, Any]) -> None:
    _legend(own, particular)
    own.must_be("alignValue", "left")
    own.must_be("mergeValues", True)
    own.must_be("perPage", 0)
    own.must_be("rowHeight", 0.85)
    own.must_be("showValue", "auto")


def _bar_chart(own: Options, particular: dict[str, Any]) -> None:
    _legend(own, particular)
    particular["x_field"] = own.take("xField")
    for name, value in {
        "barRadius": 0,
        "barWidth": 0.97,
        "fullHighlight": False,
        "groupWidth": 0.7,
        "orientation": "auto",
        "showValue": "auto",
        "stacking": "none",
        "xTickLabelMaxLength": 0,
        "xTickLabelRotation": 0,
        "xTickLabelSpacing": 0,
    }.items():
        own.must_be(name, value)


def _stat(own: Options, _particular: dict[str, Any]) -> None:
    with own.part("reduceOptions") as reduce:
        reduce.must_be("calcs", [], ["lastNotNull"])  # none named: the last value, as Grafana has it
    for name, value in {
        "colorMode": "value",
        "graphMode": "none",
        "justifyMode": "auto",
        "orientation": "auto",
        "percentChangeColorMode": "standard",
        "showPercentChange": False,
        "textMode": "auto",
        "wideLayout": True,
    }.items():
        own.must_be(name, value)


def _heatmap(own: Options, particular: dict[str, Any]) -> None:
    own.must_be("calculate", False)
    own.must_be("cellGap", 1)
    own.must_be("selectionMode", "x")
    own.must_be("showValue", "auto")
    own.take("exemplars")  # a colour for what Prometheus is not asked for
    with own.part("cellValues") as cells:
        particular["cell_unit"] = cells.take("unit", "none")
    with own.part("filterValues") as hidden:
        particular["hidden_up_to"] = hidden.take("le")
    with own.part("legend") as legend:
        particular["has_legend"] = legend.take("show", False)
    with own.part("color") as colour:
        colour.must_be("mode", "scheme")
        colour.must_be("scheme", _SPECTRUM)
        colour.must_be("exponent", 0)
        colour.must_be("fill", "")
        colour.must_be("reverse", False)
        colour.must_be("steps", 32)
    with own.part("tooltip") as tooltip:
        tooltip.must_be("mode", "single")
        tooltip.must_be("showColorScale", True)
        tooltip.must_be("yHistogram", True)
    with own.part("yAxis") as axis:
        axis.must_be("axisPlacement", "left")
        axis.must_be("decimals", 0)
        axis.must_be("unit", "s")


def _table(own: Options, particular: dict[str, Any]) -> None:
    own.must_be("cellHeight", "sm")
    own.must_be("frameIndex", 0)
    own.must_be("showHeader", True)
    own.must_be("showTypeIcons", False)
    with own.part("footer") as footer:
        footer.must_be("show", False)
        footer.must_be("countRows", False)
        footer.must_be("reducer", [])
    for sort in own.each("sortBy"):
        particular["sort_by"] = sort.take("displayName")
        particular["sort_descending"] = bool(sort.take("desc"))
        sort.finish()


def _text(own: Options, particular: dict[str, Any]) -> None:
    own.must_be("mode", "markdown")
    particular["content"] = own.take("content")


_OPTIONS: Mapping[Kind, Callable[[Options, dict[str, Any]], None]] = MappingProxyType(
    {
        Kind.TIME_SERIES: _time_series,
        Kind.STAT: _stat,
        Kind.TABLE: _table,
        Kind.BAR_CHART: _bar_chart,
        Kind.HEATMAP: _heatmap,
        Kind.STATE_TIMELINE: _state_timeline,
        Kind.TEXT: _text,
    }
)


def _variable(options: Options) -> Variable:
    options.must_be("multi", False)
    options.must_be("skipUrlSync", False)
    for ignored in ("auto", "auto_count", "auto_min", "allowCustomValue", "refresh", "selectedValues"):
        options.take(ignored)  # of Grafana's editor; the page asks for the values whenever it asks for the panels
    kind, query = options.take("type"), options.take("query")
    current = options.take("current") or {}
    choices = [Option(item["text"], item["value"]) for item in options.take("options", [])]
    includes_all, all_value = options.take("includeAll", False), options.take("allValue")
    series = of_label = ""
    if kind == "query":
        options.must_be("sort", 3)  # by number
        found = re.fullmatch(r"label_values\(([\w:]+), *(\w+)\)", query)
        if found is None or choices:
            raise UnknownOptionError(f"{options.where}.query: expected label_values(SERIES, LABEL), got {query!r}")
        series, of_label = found[1], found[2]
    elif kind != "custom" or not choices:
        raise UnknownOptionError(f"{options.where}.type: the page does not know the variable {kind!r}")
    made = Variable(
        name=options.take("name"),
        label=options.take("label"),
        description=options.take("description", ""),
        default=_ALL if current.get("value") == _ALL else current["text"],
        options=choices,
        series=series,
        of_label=of_label,
        all_value=all_value if includes_all else None,
    )
    options.finish()
    return made


def _marks(board: Options) -> tuple[list[Mark], list[str]]:
    marks, elsewhere = [], []
    with board.part("annotations") as annotations:
        for item in annotations.each("list"):
            item.must_be("builtIn", 0)
            item.must_be("enable", True)
            item.must_be("placement", "inControlsMenu")
            name, colour, hidden = item.take("name"), item.take("iconColor"), item.take("hide", False)
            if item.take("datasource"):  # kept in Grafana's own database
                elsewhere.append(name)
                continue
            item.must_be("tagKeys", "mechanism,role")
            step = re.fullmatch(r"(\d+)s", item.take("step"))
            if step is None:
                raise UnknownOptionError(f"{item.where}.step: expected 1s or the like")
            marks.append(Mark(name, colour, item.take("expr"), item.take("titleFormat"), float(step[1]), not hidden))
            item.finish()
    return marks, elsewhere
