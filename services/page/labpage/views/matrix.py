"""The matrix, the second view."""

from __future__ import annotations

from nicegui import ui

from labpage.view import View
from labpage.visit import Visit


class Matrix(ui.element, component="../components/matrix.js"):
    """The table, which the browser fills from /matrix.json."""


async def _build(visit: Visit) -> None:
    matrix = Matrix()
    matrix.props["words"] = {**visit.text.below("picture"), **visit.text.below("matrix")}


VIEW = View(20, "/matrix", "matrix.title", _build)
