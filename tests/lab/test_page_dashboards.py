"""Dashboards and curve on the page of the running lab, in a real browser, and their numbers."""

from __future__ import annotations

import json
import math
import random
from typing import Any

import pytest
from dashboards.__main__ import JSON

from lab.harness.browser import Tab
from lab.harness.panels import STATES, WIDTH, WITHIN_S, ask, keep, local_session, show
from lab.harness.stack import Stack, wait_until
from labpage.panels import promql, translation, units
from labpage.panels.asking import Request
from labpage.panels.definition import Dashboard, Kind, Panel
from labpage.panels.reader import read_all

BOARDS = read_all(JSON)
LANGUAGES = ("en", "ko")


@pytest.fixture(scope="module")
def address(eventful: Stack) -> str:
    """Of the page that `./lab up` started."""
    return f"http://127.0.0.1:{eventful.environment['LAB_PAGE_PORT']}"


@pytest.mark.timeout(300)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_panel_of_every_dashboard_is_drawn(page: Tab, address: str, language: str) -> None:
    words = translation.of(language)
    for board in BOARDS.values():
        show(page, f"{address}/dashboards?board={board.name}&lang={language}&theme=light", len(board.panels))
        titles = page.ask("[...document.querySelectorAll('.panel h2')].map(it => it.textContent)")
        assert titles == [words(panel.title) for panel in board.panels]
        keep(page, f"page-{board.name}{'' if language == 'en' else f'.{language}'}.png")


def test_a_panel_that_nobody_sees_is_not_asked_for(page: Tab, address: str) -> None:
    page.forget()
    page.open(f"{address}/dashboards?board=speed&lang=en", WIDTH, 400)
    wait_until("the first panel", WITHIN_S, lambda: "drawn" in {state for _, state, _ in page.ask(STATES) or []})
    asked = [url for url in page.asked_for() if "/panels?" in url]
    last = BOARDS["speed"].panels[-1].number
    assert asked
    assert not [url for url in asked if f"speed.{last}" in url]


def test_the_browser_writes_numbers_as_the_server_does(page: Tab, address: str) -> None:
    page.open(f"{address}/dashboards?lang=en", WIDTH, 400)
    wait_until("the page", WITHIN_S, lambda: page.ask("document.querySelector('.panel') !== null"))
    drawn = random.Random(1)
    named = ["s", "µs", "bytes", "binBps", "percentunit", "none", "suffix: msg/s"]
    values = [0.0, 1.0, 1000.0, *(10 ** drawn.uniform(-9, 9) for _ in range(200)), *(float(2**n) for n in range(40))]
    cases = [(value, unit, decimals) for value in values for unit in named for decimals in (None, 0, 2)]
    asked = f"import('/assets/units.js').then(it => {json.dumps(cases)}.map(one => it.shown(...one)))"
    assert page.run(asked) == [units.shown(*case) for case in cases]


def test_the_curve_of_the_last_bench(page: Tab, address: str, eventful: Stack) -> None:
    show(page, f"{address}/curve?lang=en&theme=light", 3, 1500)
    keep(page, "page-curve.png")
    answer = ask(address, "/bench")
    fresh = {key(sample["metric"]): float(sample["value"][1]) for sample in eventful.query("ipc_bench_message_seconds")}
    assert len(answer["cells"]) == len(fresh)
    for cell in answer["cells"]:
        assert cell["seconds"] == fresh[key({**cell, "size": str(cell["size"])})]


def key(labels: dict[str, Any]) -> tuple[str, ...]:
    """What tells the cells of a bench apart."""
    names = ("mechanism", "implementation", "size", "shape", "wait", "cpus", "copies", "touched")
    return tuple(str(labels[name]) for name in names)


def drawn(address: str, board: str, title: str) -> tuple[Dashboard, Panel, dict[str, Any]]:
    """A panel, as the server has it for browsers now."""
    panel = next(panel for panel in BOARDS[board].panels if panel.title == title)
    name = f"{board}.{panel.number}"
    return BOARDS[board], panel, ask(address, "/panels", panels=name, range="300", every="5")["panels"][name]


def over_time(stack: Stack, board: Dashboard, panel: Panel, made: dict[str, Any]) -> list[dict[str, Any]]:
    """What Prometheus has of a panel's first query at the moments that were drawn; the last two may still grow."""
    offered = {variable.name: [option.text for option in variable.options] for variable in board.variables}
    request = Request(board, promql.choices(board, {}, offered), 300, 5.0, translation.of("en"))
    step, start, count = made["step"] / 1000, made["start"] / 1000, made["count"]
    asked = {
        "query": request.filled_in(panel.queries[0].expr, step),
        "start": start,
        "end": start + (count - 3) * step,
        "step": step,
    }
    port = stack.environment["LAB_PROMETHEUS_PORT"]
    found = local_session().post(f"http://127.0.0.1:{port}/api/v1/query_range", data=asked, timeout=30).json()
    result: list[dict[str, Any]] = found["data"]["result"]
    assert result
    return result


def points(series: dict[str, Any], made: dict[str, Any]) -> list[float | None]:
    """The values of a series by the number of the moment."""
    values: list[float | None] = [None] * (made["count"] - 2)
    for at, value in series["values"]:
        if math.isfinite(float(value)):
            values[round((at * 1000 - made["start"]) / made["step"])] = float(value)
    return values


class TestNumbersEqualPrometheus:
    """One panel of each kind."""

    def test_time_series(self, address: str, eventful: Stack) -> None:
        board, panel, made = drawn(address, "faults", "Is everything that is sent received?")
        lines = {line["name"]: line["values"] for line in made["lines"]}
        for series in over_time(eventful, board, panel, made):
            assert lines[series["metric"]["mechanism"]][: made["count"] - 2] == points(series, made)

    def test_heatmap(self, address: str, eventful: Stack) -> None:
        board, panel, made = drawn(address, "mechanism", "How are the latencies distributed?")
        by_bound = {float(s["metric"]["le"].replace("+Inf", "inf")): s for s in over_time(eventful, board, panel, made)}
        total = points(by_bound[math.inf], made)
        summed = [0.0] * made["count"]
        for moment, _, count in made["cells"]:
            summed[moment] += count
        for expected, found in zip(total, summed, strict=False):
            assert found == pytest.approx(expected or 0.0, abs=1e-6)

    def test_state_timeline(self, address: str, eventful: Stack) -> None:
        board, panel, made = drawn(address, "hosts", "Reached from shared network?")
        words = {value: mapped.text for value, mapped in (panel.look.mappings or {}).items()}
        rows = {row["name"]: row["parts"] for row in made["rows"]}
        for series in over_time(eventful, board, panel, made):
            for index, value in enumerate(points(series, made)):
                shown = [it["text"] for it in rows[series["metric"]["mechanism"]] if it["from"] <= index < it["to"]]
                assert shown == ([] if value is None else [words[f"{value:g}"]])

    def test_stat(self, address: str, eventful: Stack) -> None:
        _, _, made = drawn(address, "start", "Containers")
        (value,) = (one["value"] for one in made["numbers"])
        assert value == float(eventful.query("count(ipc_namespace_info)")[0]["value"][1])

    def test_table(self, address: str, eventful: Stack) -> None:
        _, _, made = drawn(address, "kernel", "Which limits does this kernel have?")
        found = eventful.query("max by (limit) (ipc_kernel_limit)")
        limits = {sample["metric"]["limit"]: float(sample["value"][1]) for sample in found}
        shown = {row[0]["text"]: row[1]["value"] for row in made["rows"]}
        assert shown == limits

    def test_bar_chart(self, address: str, eventful: Stack) -> None:
        board, panel, made = drawn(address, "speed", "How does the time grow with the size? (touched)")
        bars = {one["name"]: dict(zip(made["names"], one["values"], strict=True)) for one in made["bars"]}
        offered: dict[str, list[str]] = {variable.name: [] for variable in board.variables}
        request = Request(board, promql.choices(board, {}, offered), 300, 5.0, translation.of("en"))
        for query in panel.queries:
            if query.legend in bars:
                for sample in eventful.query(request.filled_in(query.expr, 1)):
                    assert bars[query.legend][sample["metric"]["size"]] == float(sample["value"][1])

    def test_every_kind_is_above(self) -> None:
        kinds = {panel.kind for board in BOARDS.values() for panel in board.panels} - {Kind.TEXT}
        tests = {name for name in dir(type(self)) if name.startswith("test_")}
        named = {kind: {"timeseries": "time_series", "barchart": "bar_chart"}.get(kind, kind) for kind in kinds}
        assert {f"test_{name}".replace("-", "_") for name in named.values()} <= tests
