"""A value as a person sees it: its text, its colour, where it leads to."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote

from labpage.panels import units
from labpage.panels.definition import Look
from labpage.panels.results import Cell

_LINK_TO_DASHBOARD = "/d/ipclab-"


@dataclass(frozen=True)
class Shown:
    """The text, and what stands around it; `number` is None for what is no number."""

    text: str
    number: float | None
    colour: str | None = None
    link: str | None = None
    link_title: str = ""


def of(value: Cell, look: Look, words: Mapping[str, str]) -> Shown:
    """A cell, by the look of its column.

    :param words: how long ago a moment is, in the language of the page: `units.ago`
    """
    unit = look.unit or "none"
    number = _number(value)
    if value is None or (number is not None and math.isnan(number) and not isinstance(value, str)):
        return Shown(look.no_value or "", None)
    key = f"{number:g}" if isinstance(value, float) else str(value)
    mapped = (look.mappings or {}).get(key)
    if mapped is not None:
        text = mapped.text
    elif unit == units.TEXT or number is None:
        text = str(value)
    elif unit == units.FROM_NOW:
        text = units.ago(time.time() - number / 1000, words)
    else:
        text = units.shown(number, unit, look.decimals)
    colour = (mapped.colour if mapped else None) or _of_steps(None if unit == units.TEXT else number, look)
    link, title = None, ""
    for one in look.links or ():
        link, title = address(one.url, text), one.title
    return Shown(text, number, colour, link, title)


def address(url: str, text: str) -> str:
    """A link of Grafana's as one of the page's own: a dashboard is a view of `dashboards`."""
    filled = url.replace("${__value.text}", quote(text, safe=""))
    path, _, query = filled.partition("?")
    if not path.startswith(_LINK_TO_DASHBOARD):
        return filled
    name = path.removeprefix(_LINK_TO_DASHBOARD)
    return f"?board={name}" + (f"&{query}" if query else "")


def _number(value: Cell) -> float | None:
    try:
        return float(value) if value is not None else None
    except ValueError:
        return None


def _of_steps(number: float | None, look: Look) -> str | None:
    """The colour of the last threshold that is not above the value; what is no number is below all of them."""
    colour = None
    for step in look.steps or ():
        if step.value is None or (number is not None and number >= step.value):
            colour = step.colour
    return colour
