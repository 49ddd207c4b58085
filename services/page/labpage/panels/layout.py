"""The frame of a dashboard for the browser: what stands where, under which title, before any number is there."""

from __future__ import annotations

from typing import Any

from labpage.panels import promql
from labpage.panels.definition import Dashboard, Panel
from labpage.panels.translation import Translation


def of_board(board: Dashboard, translation: Translation) -> dict[str, Any]:
    """One dashboard: its panels, the choices at its top, its marks."""
    return {
        "name": board.name,
        "title": translation(board.title),
        "description": translation(board.description),
        "panels": [of_panel(board, panel, translation) for panel in board.panels],
        "variables": [
            {
                "name": variable.name,
                "label": translation(variable.label),
                "description": translation(variable.description),
                "options": [option.text for option in variable.options],
                "all": promql.ALL if variable.all_value else None,
                "default": variable.default,
            }
            for variable in board.variables
        ],
        "marks": [
            {"name": translation(mark.name), "colour": mark.colour, "choice": mark.choice} for mark in board.marks
        ],
        "elsewhere": [translation(name) for name in board.in_grafana_only],
        "range": board.range_s,
        "every": board.refresh_s,
    }


def of_panel(board: Dashboard, panel: Panel, translation: Translation) -> dict[str, Any]:
    """One panel."""
    place = panel.place
    return {
        "board": board.name,
        "number": panel.number,
        "kind": str(panel.kind),
        "title": translation(panel.title),
        "description": translation(panel.description),
        "place": {"x": place.x, "y": place.y, "width": place.width, "height": place.height},
    }
