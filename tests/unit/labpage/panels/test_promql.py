"""Queries as Grafana sends them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml
from dashboards.__main__ import JSON

from labpage.panels import promql, translation
from labpage.panels.asking import Request
from labpage.panels.definition import Dashboard, Kind, Panel, Place
from labpage.panels.reader import read_all
from labpage.panels.service import RANGES_S

BOARDS = read_all(JSON)


def a_panel(most_points: int | None = None, width: int = 12) -> Panel:
    return Panel(1, "t", "d", Kind.TIME_SERIES, Place(0, 0, width, 8), most_points=most_points)


def request_of(board: Dashboard, range_s: int = 300, **chosen: str) -> Request:
    offered = {v.name: [option.text for option in v.options] for v in board.variables}
    return Request(board, promql.choices(board, chosen, offered), range_s, 5.0, translation.of("en"))


# The first two are what docs/decisions/0025 and the comments of dashboards/panels.py say that Grafana does.
@pytest.mark.parametrize(
    ("points", "range_s", "step"), [(80, 300, 5), (150, 300, 2), (80, 3600, 60), (150, 21600, 120), (80, 900, 10)]
)
def test_points_are_at_round_distances(points: int, range_s: int, step: int) -> None:
    assert promql.step_s(a_panel(points), range_s) == step


def test_a_graph_asks_for_about_as_many_points_as_it_wants() -> None:
    for range_s in RANGES_S:
        for board in BOARDS.values():
            for panel in board.panels:
                points = range_s / promql.step_s(panel, range_s)
                assert points <= 2.2 * (panel.most_points or 25 * panel.place.width), panel.title


def test_a_rate_spans_four_scrapes_and_leaves_out_no_sample() -> None:
    assert [promql.rate_interval_s(step) for step in (1, 2, 5, 60)] == [4, 4, 6, 61]


def test_the_interval_of_scrapes_is_that_of_grafanas_data_source() -> None:
    source = yaml.safe_load(Path("services/grafana/provisioning/datasources/prometheus.yml").read_text())
    assert source["datasources"][0]["jsonData"]["timeInterval"] == f"{promql.SCRAPED_EVERY_S}s"


@pytest.mark.parametrize("name", BOARDS)
def test_no_variable_is_left_in_any_query_or_mark(name: str) -> None:
    board = BOARDS[name]
    request = request_of(board)
    asked = [query.expr for panel in board.panels for query in panel.queries] + [mark.expr for mark in board.marks]
    for expr in asked:
        filled = request.filled_in(expr, 5)
        assert not re.search(r"\$[a-z_{]", filled), filled


def test_a_choice_is_its_text_or_its_value() -> None:
    board = BOARDS["mechanism"]
    request = request_of(board, mechanism="fifo")
    assert request.filled_in('x{mechanism="${mechanism:text}"}', 1) == 'x{mechanism="fifo"}'
    assert request.filled_in("${mechanism:raw}", 1).startswith("<p>")


def test_what_nobody_offers_is_not_put_into_a_query() -> None:
    evil = '"} or vector(1) or x{mechanism="'
    assert request_of(BOARDS["mechanism"], mechanism=evil).chosen["mechanism"] == "anonymous_pipe"
    assert request_of(BOARDS["speed"], size=evil).chosen["size"] == promql.ALL
    assert request_of(BOARDS["speed"]).filled_in('size=~"$size"', 1) == 'size=~".*"'


def test_a_group_of_label_replace_is_no_variable() -> None:
    request = request_of(BOARDS["hosts"])
    assert request.filled_in('label_replace(x, "a", "$1", "b", "(.*)")', 1).count("$1") == 1
