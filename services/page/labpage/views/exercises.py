"""The exercises: what to do, what the last check saw, and the live panels that matter."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from labpage.exercises.texts import Text, all_texts
from labpage.panels import layout, translation
from labpage.panels.element import Exercises
from labpage.panels.files import dashboards
from labpage.view import View
from labpage.visit import Visit

_ASKED_SENT_RECEIVED = "Is everything sent and received?"


async def _build(visit: Visit) -> None:
    words = translation.of(visit.language)
    Exercises(
        {
            "exercises": [_spec(text, words) for text in all_texts(visit.language)],
            "traffic": _panel_of("mechanism", _ASKED_SENT_RECEIVED, words),
            "words": {**words.words, **visit.text.below("exercises")},
            "language": visit.language,
        }
    )


def _spec(text: Text, words: translation.Translation) -> dict[str, Any]:
    spec = asdict(text)
    board, _, number = (text.panel or "").partition(".")
    panel = dashboards()[board].panel(int(number)) if board else None
    spec["panel"] = layout.of_panel(dashboards()[board], panel, words) if panel else None
    return spec


def _panel_of(board: str, title: str, words: translation.Translation) -> dict[str, Any]:
    panel = next(panel for panel in dashboards()[board].panels if panel.title == title)
    return layout.of_panel(dashboards()[board], panel, words)


VIEW = View(50, "/exercises", "exercises.title", _build, in_kiosk=False)
