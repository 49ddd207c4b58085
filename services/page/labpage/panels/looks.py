"""How fields look: the field options of a panel, and the overrides of single fields."""

from __future__ import annotations

import re
from typing import Any

from labpage.panels.definition import Link, Look, Mapped, Override, Step
from labpage.panels.options import Options, UnknownOptionError


def of_defaults(defaults: Options) -> Look:
    """The look of all fields of a panel."""
    said: dict[str, Any] = {}
    for name in defaults.names():
        if name == "custom":
            with defaults.part("custom") as custom:
                for own in custom.names():
                    _property(f"custom.{own}", custom.take(own), custom.where, said)
        else:
            _property(name, defaults.take(name), defaults.where, said)
    return Look(**said)


def override(item: Options) -> Override:
    """The look of some fields."""
    said: dict[str, Any] = {}
    with item.part("matcher") as matcher:
        kind, wanted = matcher.take("id"), matcher.take("options")
    for single in item.each("properties"):
        _property(single.take("id"), single.take("value"), single.where, said)
        single.finish()
    item.finish()
    if kind == "byName":
        return Override(wanted, None, Look(**said))
    if kind == "byRegexp" and len(wanted) > 1 and wanted[0] == wanted[-1] == "/":
        return Override(None, re.compile(wanted[1:-1]), Look(**said))
    raise UnknownOptionError(f"{item.where}.matcher: the page does not know {kind!r} {wanted!r}")


def _property(name: str, value: Any, where: str, said: dict[str, Any]) -> None:
    if name in _PLAIN:
        said[_PLAIN[name]] = value
    elif name in _ONLY:
        if value not in _ONLY[name]:
            raise UnknownOptionError(f"{where}.{name}: {value!r} is not drawn, expected one of {_ONLY[name]}")
    elif name in _MADE:
        said.update(_MADE[name](Options({"it": value}, f"{where}.{name}")))
    else:
        raise UnknownOptionError(f"{where}: the page does not know {name}")


def _colour(options: Options) -> dict[str, Any]:
    with options.part("it") as colour:
        colour.must_be("mode", "fixed")
        return {"colour": colour.take("fixedColor")}


def _steps(options: Options) -> dict[str, Any]:
    with options.part("it") as thresholds:
        thresholds.must_be("mode", "absolute")
        steps = []
        for step in thresholds.each("steps"):
            steps.append(Step(step.take("value"), step.take("color")))
            step.finish()
        return {"steps": steps}


def _mappings(options: Options) -> dict[str, Any]:
    mapped = {}
    for mapping in options.each("it"):
        mapping.must_be("type", "value")
        with mapping.part("options") as values:
            for value in values.names():
                with values.part(value) as result:
                    result.take("index")  # the order in Grafana's editor
                    mapped[value] = Mapped(result.take("text"), result.take("color"))
        mapping.finish()
    return {"mappings": mapped}


def _links(options: Options) -> dict[str, Any]:
    links = []
    for link in options.each("it"):
        links.append(Link(link.take("title"), link.take("url")))
        link.must_be("targetBlank", False)
        link.finish()
    return {"links": links}


def _cell(options: Options) -> dict[str, Any]:
    with options.part("it") as cell:
        kind = cell.take("type")
        if kind not in ("color-background", "color-text"):
            raise UnknownOptionError(f"{cell.where}: the page does not draw cells of type {kind!r}")
        return {"cell": kind}


def _stroke(options: Options) -> dict[str, Any]:
    with options.part("it") as line:
        if (fill := line.take("fill")) not in ("dash", "dot"):
            raise UnknownOptionError(f"{line.where}.fill: {fill!r} is not drawn")
        return {"dash": tuple(line.take("dash"))}


def _hidden(options: Options) -> dict[str, Any]:
    with options.part("it") as hidden:
        hidden.must_be("viz", False)
        return {"in_legend": not hidden.take("legend"), "in_tooltip": not hidden.take("tooltip")}


def _interpolation(options: Options) -> dict[str, Any]:
    value = options.take("it")
    if value not in ("linear", "stepAfter"):
        raise UnknownOptionError(f"{options.where}: {value!r} is not drawn")
    return {"stepped": value == "stepAfter"}


def _scale(options: Options) -> dict[str, Any]:
    with options.part("it") as scale:
        scale.must_be("type", "log")
        scale.must_be("log", 10)
        return {"log_base": 10}


_PLAIN = {
    "unit": "unit",
    "decimals": "decimals",
    "min": "minimum",
    "max": "maximum",
    "noValue": "no_value",
    "custom.width": "width",
    "custom.minWidth": "minimal_width",
    "custom.lineWidth": "line_width",
    "custom.fillOpacity": "fill_percent",
    "custom.axisSoftMin": "soft_minimum",
    "custom.axisSoftMax": "soft_maximum",
}
# What the page draws in one way only; the second name is for Grafana before 9.4, beside `cellOptions`.
_ONLY = {
    "custom.align": ("auto",),
    "custom.displayMode": ("color-background",),
    "custom.drawStyle": ("line",),
    "custom.gradientMode": ("none",),
    "custom.inspect": (False,),
    "custom.showPoints": ("never",),
    "custom.spanNulls": (False,),
}
_MADE = {
    "color": _colour,
    "thresholds": _steps,
    "mappings": _mappings,
    "links": _links,
    "custom.cellOptions": _cell,
    "custom.lineStyle": _stroke,
    "custom.hideFrom": _hidden,
    "custom.lineInterpolation": _interpolation,
    "custom.scaleDistribution": _scale,
}
