"""The curve of the last bench."""

from __future__ import annotations

from ipclab import mechanisms
from labpage.panels import translation
from labpage.panels.definition import Kind
from labpage.panels.element import Curve
from labpage.panels.files import dashboards
from labpage.view import View
from labpage.visit import Visit


async def _build(visit: Visit) -> None:
    words = translation.of(visit.language)
    Curve(
        {
            "colours": _colours(),
            "words": {**words.words, **visit.text.below("curve")},
            "language": visit.language,
        }
    )


def _colours() -> dict[str, str | None]:
    """Those of the dashboards: a mechanism has one colour everywhere."""
    bars = next(panel for panel in dashboards()["speed"].panels if panel.kind is Kind.BAR_CHART)
    return {name: bars.look_of(name).colour for name in mechanisms.names()}


VIEW = View(40, "/curve", "curve.title", _build)
