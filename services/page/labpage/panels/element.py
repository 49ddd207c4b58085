"""The elements that draw panels in the browser, with the ECharts that NiceGUI brings along."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

from nicegui import ui

_ECHARTS = Path(str(files("nicegui"))) / "elements" / "echart" / "dist"


class Boards(ui.element, component="../components/boards.js", esm={"nicegui-echart": str(_ECHARTS)}):
    """All dashboards: the browser chooses one by the address."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__()
        self.props["spec"] = spec
        ui.add_head_html('<link rel="stylesheet" href="/assets/panels.css">')


class Exercises(ui.element, component="../components/exercises.js", esm={"nicegui-echart": str(_ECHARTS)}):
    """All exercises: the browser chooses one by the address."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__()
        self.props["spec"] = spec
        ui.add_head_html('<link rel="stylesheet" href="/assets/panels.css">')


class Curve(ui.element, component="../components/curve.js", esm={"nicegui-echart": str(_ECHARTS)}):
    """The figures of the last bench, by size."""

    def __init__(self, spec: dict[str, Any]) -> None:
        super().__init__()
        self.props["spec"] = spec
        ui.add_head_html('<link rel="stylesheet" href="/assets/panels.css">')
