"""What is read from afar: halves with one scale, names that are not cut."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from dashboards.__main__ import DASHBOARDS, JSON

from labctl.config import compose_file

Panel = dict[str, Any]
# Grafana at 1280 pixels: 24 columns in what its edges leave; a letter of a cell, and the cell's own edges.
_SCREEN, _EDGES, _LETTER, _CELL = 1280, 48, 7.5, 12
_COLUMNS = 24
# The page's edges on both sides, what lies between two panels, and a panel's edges with the signs beside its title.
_PAGE, _GAP, _SIGNS = 32, 8, 75
_LONGEST = "/ipclab-posix_shm.replies.record"


def panels(dashboard: str) -> list[Panel]:
    """The panels of a dashboard."""
    found: list[Panel] = json.loads((JSON / f"{dashboard}.json").read_text(encoding="utf-8"))["panels"]
    return found


def halves() -> dict[str, list[Panel]]:
    """Question to its two panels on Speed and its price.

    Tables, and what is of the last bench, have all mechanisms; a panel as wide as the page has none.
    """
    found: dict[str, list[Panel]] = {}
    for panel in (panel for panel in panels("speed") if panel["type"] not in ("table", "barchart")):
        if panel["gridPos"]["w"] == _COLUMNS:
            continue
        found.setdefault(panel["title"].partition("?")[0], []).append(panel)
    return found


HALVES = halves()


@pytest.mark.parametrize("question", HALVES)
def test_the_two_halves_stand_side_by_side_with_one_axis(question: str) -> None:
    left, right = HALVES[question]
    assert left["gridPos"]["y"] == right["gridPos"]["y"]
    if left["type"] == "heatmap":
        assert left["options"]["yAxis"] == right["options"]["yAxis"]
        return
    for panel, other in ((left, right), (right, left)):
        own = [target["expr"] for target in panel["targets"] if not target["legendFormat"].startswith("scale ")]
        scale = {t["legendFormat"]: t["expr"] for t in panel["targets"] if t["legendFormat"].startswith("scale ")}
        others = [target["expr"] for target in other["targets"] if not target["legendFormat"].startswith("scale ")]
        assert scale == {"scale from": f"min({others[0]})", "scale to": f"max({others[-1]})"}
        assert mechanisms_in(own).isdisjoint(mechanisms_in(list(scale.values())))
    assert left["fieldConfig"]["defaults"] == right["fieldConfig"]["defaults"]


@pytest.mark.parametrize("question", [name for name, (left, _) in HALVES.items() if left["type"] == "timeseries"])
def test_what_is_there_for_the_axis_is_not_seen(question: str) -> None:
    for panel in HALVES[question]:
        (override,) = (
            it for it in panel["fieldConfig"]["overrides"] if re.search(it["matcher"]["options"].strip("/"), "scale to")
        )
        properties = {it["id"]: it["value"] for it in override["properties"]}
        assert properties["custom.lineWidth"] == 0
        hidden = properties["custom.hideFrom"]
        assert (hidden["legend"], hidden["tooltip"]) == (True, True)
        assert hidden["viz"] is False, "what is hidden from the graph is hidden from the axis"


def mechanisms_in(expressions: list[str]) -> set[str]:
    """The mechanisms that these queries are of."""
    return {
        name for expr in expressions for found in re.findall(r'mechanism=~"([^"]+)"', expr) for name in found.split("|")
    }


@pytest.mark.parametrize(
    "title", [p["title"] for p in panels("kernel") if p["type"] == "table" and "Which" in p["title"]]
)
def test_the_name_of_a_kernel_object_has_room(title: str) -> None:
    (panel,) = (panel for panel in panels("kernel") if panel["title"] == title)
    width = (_SCREEN - _EDGES) * panel["gridPos"]["w"] / _COLUMNS
    fixed = widths(panel)
    assert "Key or name" not in fixed
    assert width - sum(fixed.values()) >= len(_LONGEST) * _LETTER + _CELL


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_title_of_a_panel_has_room(name: str) -> None:
    column = (_SCREEN - _PAGE - (_COLUMNS - 1) * _GAP) / _COLUMNS
    cut = []
    for panel in panels(name.removesuffix(".json")):
        columns = panel["gridPos"]["w"]
        if columns * column + (columns - 1) * _GAP < len(panel["title"]) * _LETTER + _SIGNS:
            cut.append(panel["title"])
    assert not cut


@pytest.mark.parametrize("name", DASHBOARDS)
def test_the_columns_of_a_table_have_room(name: str) -> None:
    longest = max(map(len, compose_file.declared()))
    column = (_SCREEN - _PAGE - (_COLUMNS - 1) * _GAP) / _COLUMNS
    cut = []
    for panel in (panel for panel in panels(name.removesuffix(".json")) if panel["type"] == "table"):
        columns, fixed = panel["gridPos"]["w"], widths(panel)
        of_mechanisms = any(it["matcher"]["options"] == "Mechanism" for it in panel["fieldConfig"]["overrides"])
        names = longest * _LETTER + _CELL if of_mechanisms and "Mechanism" not in fixed else 0
        if columns * column + (columns - 1) * _GAP - _CELL < sum(fixed.values()) + names:
            cut.append(panel["title"])
    assert not cut


def widths(panel: Panel) -> dict[str, int]:
    """Header to width, of the columns of a table that have one."""
    return {
        override["matcher"]["options"]: it["value"]
        for override in panel["fieldConfig"]["overrides"]
        for it in override["properties"]
        if it["id"] == "custom.width"
    }
