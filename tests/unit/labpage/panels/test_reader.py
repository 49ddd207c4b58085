"""Every option of every dashboard is drawn, or refused: the page ignores none without a word."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import pytest
from dashboards.__main__ import DASHBOARDS, JSON

from labpage.panels import translation, units
from labpage.panels.definition import Dashboard, Kind, Look
from labpage.panels.options import UnknownOptionError
from labpage.panels.reader import read, read_all

# What Grafana keeps for itself, of a dashboard or of its editor, or draws in versions the lab does not bring.
_UNSEEN = {
    "schemaVersion",
    "tags",
    "uid",
    "fiscalYearStartMonth",
    "links",
    "refresh_intervals",
    "exemplars",
    "index",
    "auto",
    "auto_count",
    "auto_min",
    "allowCustomValue",
    "refresh",
    "selected",
    "color",
    "dataFormat",
    "hideZeroBuckets",
    "tooltip",
    "xAxis",
    "yAxis",
    "yBucketBound",
}


def document(name: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((JSON / name).read_text(encoding="utf-8"))
    return made


@pytest.fixture(scope="module")
def boards() -> dict[str, Dashboard]:
    return dict(read_all(JSON))


def objects(tree: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], dict[str, Any]]]:
    if isinstance(tree, dict):
        yield path, tree
        for key, value in tree.items():
            if key not in ("excludeByName", "indexByName", "renameByName"):  # names of columns, not of options
                yield from objects(value, (*path, key))
    elif isinstance(tree, list):
        for index, value in enumerate(tree):
            yield from objects(value, (*path, index))


def test_all_six_are_read_in_their_order(boards: dict[str, Dashboard]) -> None:
    assert [f"{name}.json" for name in boards] == list(DASHBOARDS)


@pytest.mark.parametrize("name", DASHBOARDS)
def test_nothing_of_a_panel_is_left_out(name: str) -> None:
    read_board = read(name.removesuffix(".json"), document(name))
    written = document(name)["panels"]
    assert [panel.title for panel in read_board.panels] == [panel["title"] for panel in written]
    for panel, source in zip(read_board.panels, written, strict=True):
        assert [query.expr for query in panel.queries] == [target["expr"] for target in source.get("targets", [])]
        assert panel.description == source["description"]
        assert panel.kind == source["type"]
        assert len(panel.overrides) == len(source.get("fieldConfig", {}).get("overrides", []))
        assert len(panel.transformations) == len(source.get("transformations", []))


@pytest.mark.parametrize("name", DASHBOARDS)
def test_an_option_that_the_page_does_not_know_is_refused_wherever_it_stands(name: str) -> None:
    original = document(name)
    seen: set[tuple[str, ...]] = set()
    for path, _ in list(objects(original)):
        shape = tuple(str(step) for step in path if not isinstance(step, int))
        if shape in seen or _UNSEEN & set(shape) or shape[-1:] == ("target",) or "target" in shape:
            continue
        if shape and shape[-1] in ("current", "options") and "templating" in shape:
            continue  # what the editor last chose
        seen.add(shape)
        changed = copy.deepcopy(original)
        place: Any = changed
        for step in path:
            place = place[step]
        if path[-1:] == ("list",):
            continue
        place["unheardOf"] = {"of": 1}
        if (path[-2:-1] and shape[-2:] == ("mappings", "options")) or shape[-2:] == ("value", "options"):
            continue  # a value that is mapped: any name is one
        if path and isinstance(path[-1], int) and original["annotations"]["list"][:1] and path[0] == "annotations":
            source = original["annotations"]["list"][path[2]] if len(path) > 2 else {}
            if isinstance(source, dict) and source.get("datasource"):
                continue  # marks of Grafana's own database
        with pytest.raises(UnknownOptionError):
            read("changed", changed)
    assert len(seen) > 5


@pytest.mark.parametrize(
    ("kind", "place", "value"),
    [
        ("timeseries", ("fieldConfig", "defaults", "custom", "drawStyle"), "bars"),
        ("timeseries", ("fieldConfig", "defaults", "custom", "spanNulls"), True),
        ("timeseries", ("options", "legend", "placement"), "right"),
        ("stat", ("options", "graphMode"), "area"),
        ("stat", ("options", "reduceOptions", "calcs"), ["mean"]),
        ("table", ("options", "footer", "show"), True),
        ("heatmap", ("options", "color", "scheme"), "Oranges"),
        ("state-timeline", ("options", "mergeValues"), False),
    ],
)
def test_a_value_that_the_page_does_not_draw_is_refused(kind: str, place: tuple[str, ...], value: object) -> None:
    for name in DASHBOARDS:
        board = document(name)
        panel = next((panel for panel in board["panels"] if panel["type"] == kind), None)
        if panel is None:
            continue
        inner = panel
        for step in place[:-1]:
            inner = inner[step]
        inner[place[-1]] = value
        with pytest.raises(UnknownOptionError):
            read("changed", board)
        return
    pytest.fail(f"no dashboard has a {kind}")


def test_every_unit_can_be_written(boards: dict[str, Dashboard]) -> None:
    for board in boards.values():
        for panel in board.panels:
            looks: list[Look] = [panel.look, *(override.look for override in panel.overrides)]
            for unit in [*(look.unit for look in looks if look.unit), panel.cell_unit or "none"]:
                assert units.known(unit), f"{panel.title}: {unit}"


def test_later_overrides_win_and_keep_what_they_do_not_say(boards: dict[str, Dashboard]) -> None:
    panel = next(p for p in boards["faults"].panels if p.title == "Is everything that is sent received?")
    plain, sent = panel.look_of("fifo"), panel.look_of("fifo sent")
    assert plain.colour == sent.colour is not None
    assert plain.dash is None
    assert sent.dash == (8, 6)
    assert plain.in_legend is None
    assert sent.in_legend is False
    assert panel.look_of("no mechanism").colour is None


def test_panels_of_a_dashboard_do_not_lie_on_each_other(boards: dict[str, Dashboard]) -> None:
    for board in boards.values():
        taken: set[tuple[int, int]] = set()
        for panel in board.panels:
            place = panel.place
            cells = {
                (x, y) for x in range(place.x, place.x + place.width) for y in range(place.y, place.y + place.height)
            }
            assert not taken & cells, panel.title
            taken |= cells


def test_every_text_has_a_translation_and_every_translation_a_text(boards: dict[str, Dashboard]) -> None:
    korean = translation.of("ko")
    asked = {text for board in boards.values() for text in translation.texts_of(board)}
    assert {text for text in asked if not korean.has(text) and text not in translation.UNTRANSLATED} == set()
    assert korean.texts() - asked == set()
    assert korean.words.keys() == translation.of("en").words.keys()


def test_a_heatmap_and_a_timeline_are_among_the_kinds(boards: dict[str, Dashboard]) -> None:
    assert {panel.kind for board in boards.values() for panel in board.panels} == set(Kind)
