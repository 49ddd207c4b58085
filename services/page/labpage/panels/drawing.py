"""A panel as what the browser draws: JSON of a few kinds, which `static/panels.js` knows.

`chart`, `heatmap` and `bars` become ECharts, `timeline`, `table`, `number` and `text` HTML; `empty` says in words why
there is nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Coroutine, Mapping
from types import MappingProxyType
from typing import Any

from labpage.panels import display, text, why
from labpage.panels.asking import Asked, Lines, Named, Request, lines, samples
from labpage.panels.definition import Kind, Look, Panel
from labpage.panels.results import Table, table_of

Drawn = dict[str, Any]
_PALETTE = ("#4C7FE8", "#D55E00", "#009E73", "#C46F9E", "#968200", "#2A8FD0", "#8C8C8C", "#B88C50")


async def draw(panel: Panel, request: Request, prometheus: Asked) -> Drawn:
    """What the browser draws of a panel.

    :raises PrometheusSilent: Prometheus does not answer
    """
    drawn = await _BY_KIND[panel.kind](panel, request, prometheus)
    if drawn is not None:
        return drawn
    said = panel.look.no_value
    return {"kind": "empty", "text": request.translation(said) if said else why.nothing(panel, request.translation)}


async def _chart(panel: Panel, request: Request, prometheus: Asked) -> Drawn | None:
    found = await lines(panel, request, prometheus)
    if not found.named:
        return None
    looks = [panel.look_of(line.name) for line in found.named]
    values = [value for line in found.named for value in line.values if value is not None]
    return {
        "kind": "chart",
        **_moments(found),
        "unit": panel.look.unit or "none",
        "decimals": panel.look.decimals,
        "axis": _axis(panel.look, values),
        "log": panel.look.log_base is not None,
        "of_all": panel.tooltip_of_all,
        "descending": panel.tooltip_descending,
        "legend": panel.has_legend,
        "lines": [_line(n, line, look) for n, (line, look) in enumerate(zip(found.named, looks, strict=True))],
    }


def _line(number: int, line: Named, look: Look) -> Drawn:
    width = 1 if look.line_width is None else look.line_width
    return {
        "name": line.name,
        "colour": look.colour or _PALETTE[number % len(_PALETTE)],
        "width": width,
        "dash": list(look.dash or ()),
        "stepped": bool(look.stepped),
        "fill": look.fill_percent or 0,
        "in_legend": look.in_legend is not False,
        "in_tooltip": look.in_tooltip is not False,
        "values": line.values,
    }


def _axis(look: Look, values: list[float]) -> Drawn:
    """The ends of the value axis: hard ones, or soft ones that the values may pass; None where ECharts chooses."""
    if look.log_base:
        base = float(look.log_base)
        above = [value for value in values if value > 0]
        lowest = min([*above, *([look.soft_minimum] if look.soft_minimum else [])], default=1e-6)
        highest = max([*above, *([look.soft_maximum] if look.soft_maximum else [])], default=1.0)
        bottom = base ** math.floor(math.log(lowest, base) + 1e-9)
        return {"low": bottom, "high": max(highest, bottom * base)}
    low, high = look.minimum, look.maximum
    if low is None and look.soft_minimum is not None and min(values, default=0) >= look.soft_minimum:
        low = look.soft_minimum
    if high is None and look.soft_maximum is not None and max(values, default=0) <= look.soft_maximum:
        high = look.soft_maximum
    return {"low": low, "high": high}


def _moments(found: Lines) -> Drawn:
    return {"start": found.start_s * 1000, "step": found.step_s * 1000, "count": found.count}


async def _number(panel: Panel, request: Request, prometheus: Asked) -> Drawn | None:
    found = await lines(panel, request, prometheus)
    numbers = []
    for line in found.named:
        last = next((value for value in reversed(line.values) if value is not None), None)
        if last is not None:
            shown = display.of(last, panel.look_of(line.name), request.translation.words)
            # One number needs no name: the panel's title says it.
            name = request.translation(line.name) if len(found.named) > 1 else ""
            numbers.append({"name": name, "text": shown.text, "colour": shown.colour, "value": last})
    return {"kind": "number", "numbers": numbers} if numbers else None


async def _table(panel: Panel, request: Request, prometheus: Asked) -> Drawn | None:
    made = table_of(panel, await samples(panel, request, prometheus))
    if not made.rows:
        return None
    columns = []
    for name in made.columns:
        look = panel.look_of(name)
        is_text = look.unit == "string" or look.unit == "dateTimeFromNow"
        minimal = look.minimal_width or 0
        columns.append({"name": request.translation(name), "width": look.width, "least": minimal, "text": is_text})
    return {"kind": "table", "columns": columns, "rows": [_cells(made, row, panel, request) for row in made.rows]}


def _cells(table: Table, row: Mapping[str, Any], panel: Panel, request: Request) -> list[Drawn]:
    cells = []
    for column in table.columns:
        look = panel.look_of(column)
        shown = display.of(row.get(column), look, request.translation.words)
        cell: Drawn = {"text": request.translation(shown.text) if shown.number is None else shown.text}
        if shown.number is not None and math.isfinite(shown.number):
            cell["value"] = shown.number
        if shown.colour and shown.colour != "transparent" and look.cell:
            cell["background" if look.cell == "color-background" else "colour"] = shown.colour
        if shown.link:
            cell |= {"link": shown.link, "title": request.translation(shown.link_title)}
        cells.append(cell)
    return cells


async def _bars(panel: Panel, request: Request, prometheus: Asked) -> Drawn | None:
    made = table_of(panel, await samples(panel, request, prometheus))
    drawn: list[Drawn] = []
    every: list[float] = []
    for number, column in enumerate(column for column in made.columns if column != panel.x_field):
        values = [value if isinstance(value := row.get(column), float) else None for row in made.rows]
        if known := [value for value in values if value is not None]:
            colour = panel.look_of(column).colour or _PALETTE[number % len(_PALETTE)]
            drawn.append({"name": column, "colour": colour, "values": values})
            every += known
    if not drawn:
        return None
    return {
        "kind": "bars",
        "x": request.translation(panel.x_field),
        "names": [str(row.get(panel.x_field, "")) for row in made.rows],
        "unit": panel.look.unit or "none",
        "decimals": panel.look.decimals,
        "log": panel.look.log_base is not None,
        "axis": _axis(panel.look, every),
        "fill": panel.look.fill_percent,
        "legend": panel.has_legend,
        "bars": drawn,
    }


async def _heatmap(panel: Panel, request: Request, prometheus: Asked) -> Drawn | None:
    """Prometheus' buckets are cumulative: a band is a bucket less the one below it."""
    found = await lines(panel, request, prometheus)
    bounds = sorted((float(line.labels["le"].replace("+Inf", "inf")), line.values) for line in found.named)
    hidden_up_to = panel.hidden_up_to if panel.hidden_up_to is not None else -math.inf
    cells: list[tuple[int, int, float]] = []
    below: list[float | None] = [0.0] * found.count
    for band, (_, cumulative) in enumerate(bounds):
        for moment, (upper, lower) in enumerate(zip(cumulative, below, strict=True)):
            if upper is not None and (count := upper - (lower or 0.0)) > hidden_up_to:
                cells.append((moment, band, count))
        below = list(cumulative)
    if not cells:
        return None
    first, last = min(band for _, band, _ in cells), max(band for _, band, _ in cells)
    unit = panel.look.unit or "none"
    return {
        "kind": "heatmap",
        **_moments(found),
        "unit": panel.cell_unit,
        "bands": [_bound(bound, unit, request) for bound, _ in bounds[first : last + 1]],
        "cells": [(moment, band - first, count) for moment, band, count in cells],
        "legend": panel.has_legend,
    }


def _bound(bound: float, unit: str, request: Request) -> str:
    if math.isinf(bound):
        return "+Inf"
    return display.of(bound, Look(unit=unit, decimals=0), request.translation.words).text


async def _timeline(panel: Panel, request: Request, prometheus: Asked) -> Drawn | None:
    found = await lines(panel, request, prometheus)
    if not found.named:
        return None
    rows = {line.name: _parts(found, line, panel.look_of(line.name), request) for line in found.named}
    states = {(part["text"], part["colour"]): None for parts in rows.values() for part in parts}
    return {
        "kind": "timeline",
        **_moments(found),
        "rows": [{"name": name, "parts": rows[name]} for name in sorted(rows)],
        "fill": panel.look.fill_percent,
        "legend": [{"name": name, "colour": colour} for name, colour in states] if panel.has_legend else [],
    }


def _parts(found: Lines, line: Named, look: Look, request: Request) -> list[Drawn]:
    """Neighbouring points of one value are one part; it lasts until the next value, or until there is none."""
    parts: list[Drawn] = []
    before: float | None = None
    for index, value in enumerate(line.values):
        if value is not None and value != before:
            shown = display.of(value, look, request.translation.words)
            parts.append(
                {"from": index, "to": index + 1, "text": request.translation(shown.text), "colour": shown.colour}
            )
        elif value is not None:
            parts[-1]["to"] = index + 1
        before = value
    for part in parts:
        part["to"] = min(part["to"], found.count - 1)
    return [part for part in parts if part["to"] > part["from"]]


async def _text(panel: Panel, request: Request, _prometheus: Asked) -> Drawn | None:
    content = request.filled_in(request.translation(panel.content), 1)
    return {"kind": "text", "html": text.rendered(content)}


_BY_KIND: Mapping[Kind, Callable[[Panel, Request, Asked], Coroutine[Any, Any, Drawn | None]]] = MappingProxyType(
    {
        Kind.TIME_SERIES: _chart,
        Kind.STAT: _number,
        Kind.TABLE: _table,
        Kind.BAR_CHART: _bars,
        Kind.HEATMAP: _heatmap,
        Kind.STATE_TIMELINE: _timeline,
        Kind.TEXT: _text,
    }
)
