"""The six dashboards, drawn from the definitions that Grafana draws."""

from __future__ import annotations

from typing import Any

from labpage.panels import layout, translation
from labpage.panels.element import Boards
from labpage.panels.files import dashboards, grafana_port
from labpage.panels.service import EVERY_S, RANGES_S
from labpage.view import View
from labpage.visit import Visit


async def _build(visit: Visit) -> None:
    words = translation.of(visit.language)
    Boards(_spec(words))


def _spec(words: translation.Translation) -> dict[str, Any]:
    return {
        "boards": [layout.of_board(board, words) for board in dashboards().values()],
        "words": words.words,
        "language": words.language,
        "ranges": list(RANGES_S),
        "every": list(EVERY_S),
        "offered": {},
        "grafana": grafana_port(),
    }


VIEW = View(30, "/dashboards", "dashboards.title", _build)
