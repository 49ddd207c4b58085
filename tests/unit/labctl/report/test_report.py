"""The report: what it is asked for, what it makes of Prometheus' answers, and that it is whole or not there."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import pytest
from matplotlib.figure import Figure

from ipclab.matrix.placement import Placement
from labctl.cli.types import retention, seconds_of
from labctl.lab.prometheus import Prometheus
from labctl.matrix.cells import Cell
from labctl.report import data, plots, report
from labctl.report.data import Curve, Measured, Total
from labctl.report.faults import Faults, Interval, Outcome
from labctl.terminal import colours
from labctl.terminal.errors import LabError
from support.json_server import Request, json_server, success

FIFO = Total(
    mechanism="fifo",
    seconds=60.0,
    rate=199.8,
    due=(200.0, 500.0),
    size_bytes=(1024.0, 1024.0),
    percentiles=(1e-4, 2e-4, 3e-3, 0.9),
    lost=3.0,
    skipped=1500.0,
    cpu_s=9e-5,
    voluntary=2.0,
    involuntary=0.25,
)
SILENT = Total("tcp", 5.0, None, None, None, (None, None, None, None), None, None, None, None, None)
CURVES = {name: [Curve("fifo", [0.0, 1.0, 2.0, 9.0], [1.0, 2.0, 1.0, 2.0])] for name in ("rate", "p50", "p99")}
MEASURED = Measured(0.0, 60.0, [FIFO, SILENT], CURVES, step_s=1.0)
PLOTS = dict.fromkeys(("rate.png", "latency.png", "percentiles.png", "cost.png"), b"\x89PNG")
REACHED = Cell("fifo", Placement.SHARED_VOLUME, True, 2e-5, 1e-3, "")
REFUSED = Cell("fifo", Placement.SHARED_IPC, False, None, 1e-3, "ENOENT")


def words(html: str) -> str:
    """The text of a page, on one line."""
    return " ".join(re.sub(r"<style.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL).split())


def page(**changes: Any) -> str:
    made: dict[str, Any] = {
        "measured": MEASURED,
        "since_s": 60,
        "cells": [REACHED, REFUSED],
        "facts": [("CPUs", "2")],
        "settings": [("LAB_RATE", "200")],
        "plots": PLOTS,
    }
    return report.page(**(made | changes))


@contextmanager
def prometheus_with(lines: dict[str, float]) -> Iterator[Prometheus]:
    """A server that has a curve for each of these mechanisms, and the same value for whatever is asked of them."""

    def answer(request: Request) -> tuple[int, Any]:
        if request.path.endswith("query_range"):
            end = float(request.query["end"])
            return success([{"metric": {"mechanism": m}, "values": [[end - 9, "1"], [end, "2"]]} for m in lines])
        if request.query["query"] == "time()":
            return success([1000, "1000"])
        return success([{"metric": {"mechanism": m}, "value": [0, str(v)]} for m, v in lines.items()])

    with json_server(answer) as port:
        yield Prometheus(port)


@pytest.mark.parametrize(("text", "seconds"), [("90s", 90), ("15m", 900), ("6h", 21600), ("m", None), ("1d", None)])
def test_durations(text: str, seconds: int | None) -> None:
    assert seconds_of(text) == seconds


def test_the_retention_is_composes() -> None:
    assert (seconds_of(retention()) or 0) > 900, "the default must be allowed"


def test_every_number_is_there_with_its_unit() -> None:
    text = words(page())
    assert "fifo 60 s 200 to 500 1,024 200 100 µs 200 µs 3.0 ms 900 ms 3 1,500 90.0 µs 2.2" in text
    assert "tcp 5 s - - - - - - - - - - -" in text, "not measured is not 0"
    assert "CPUs 2" in text
    assert "LAB_RATE 200" in text


def test_a_shorter_life_than_was_asked_for_is_said() -> None:
    assert "all that there is of the last 900 s" in words(page(since_s=900))
    assert "all that there is" not in words(page(since_s=60))


def test_the_matrix_or_why_there_is_none() -> None:
    assert "fifo ✓ 20.0 µs ✗ ENOENT" in words(page())
    unmeasured = [replace(cell, success=None, error="") for cell in (REACHED, REFUSED)]
    for cells in ([], unmeasured):
        text = words(page(cells=cells))
        assert "The probes that try it do not run" in text
        assert "✓ with" not in text


def test_the_page_needs_nothing_beside_it_and_trusts_nothing() -> None:
    html = page(settings=[("NAME", "<script>alert(1)</script>")])
    assert "<script" not in html
    assert "&lt;script&gt;" in html
    sources = re.findall(r'\b(?:src|href)="([^"]{0,30})', html)
    assert len(sources) == len(PLOTS)
    assert all(source.startswith("data:image/png;base64,") for source in sources)


def test_plots_are_images_also_of_what_was_hardly_measured() -> None:
    made = plots.plots(MEASURED)
    assert made.keys() == PLOTS.keys()
    assert all(png.startswith(b"\x89PNG\r\n") and len(png) > 5000 for png in made.values())


@pytest.mark.parametrize("seconds", [30, 59, 60, 119, 121, 150, 179, 181, 240, 900, 3599, 3601, 7199, 7201, 21600])
def test_any_period_has_moments_that_can_be_told_apart(seconds: int) -> None:
    """And matplotlib, whose warnings are errors here, has nothing to say."""
    axes = Figure().subplots()
    plots.time_axis(axes, 1e9, 1e9 + seconds)
    low, high = axes.get_xlim()
    assert 1 <= sum(low <= tick <= high for tick in axes.get_xticks()) <= 6


def test_no_line_is_drawn_across_a_gap() -> None:
    times, values = plots.with_gaps(CURVES["rate"][0], step_s=1.0)
    assert times == [0.0, 1.0, 2.0, 5.5, 9.0]
    assert math.isnan(values[3])
    assert values[:3] + values[4:] == CURVES["rate"][0].values


def test_the_period_is_read_and_ends_now() -> None:
    with prometheus_with({"tcp": 2.0, "fifo": 2.0}) as prometheus:
        found = data.read(prometheus, since_s=60)
    assert [total.mechanism for total in found.totals] == ["fifo", "tcp"]
    assert (found.start, found.end) == (991.0, 1000.0)
    assert found.totals[0].due == (2.0, 2.0)
    assert (found.totals[0].lost, found.totals[0].skipped) == (1.0, 1.0)  # from the first point to the last
    assert {name: curves[0].values for name, curves in found.curves.items()} == {name: [1.0, 2.0] for name in CURVES}


def test_a_count_that_goes_on_from_address_to_address_is_not_increased_by_address() -> None:
    """`./lab place` and back: `increase` of the first address would have what the second one received, once more.

    Such a count is a ledger's. Its sum over the addresses grows from its first point to its last; what is divided by
    is the histogram's count, which every life begins at 0.
    """
    asked: list[str] = []

    def answer(request: Request) -> tuple[int, Any]:
        asked.append(request.query["query"])
        if request.path.endswith("query_range"):
            return success([{"metric": {"mechanism": "fifo"}, "values": [[1, "1"], [2, "2"]]}])
        return success([2, "2"] if request.query["query"] == "time()" else [])

    with json_server(answer) as port:
        data.read(Prometheus(port), since_s=60)
    ledgers = "sent", "received", "lost", "skipped", "duplicate", "reordered", "corrupt"
    counted = [expression for expression in asked if re.search(r"increase\(ipc_messages_", expression)]
    assert counted == []
    grown = [expression for expression in asked if re.search(rf":ipc_messages_({'|'.join(ledgers)}):sum", expression)]
    assert grown == ["mechanism:ipc_messages_lost:sum", "mechanism:ipc_messages_skipped:sum"]
    assert any("increase(ipc_one_way_latency_seconds_count" in expression for expression in asked)


def test_an_empty_prometheus_is_an_error() -> None:
    with prometheus_with({}) as prometheus, pytest.raises(LabError, match="no measurement of the last 60 s"):
        data.read(prometheus, since_s=60)


def test_colours_are_the_dashboards() -> None:
    from labctl.terminal.colours import of_mechanism

    assert colours.of_mechanism("fifo") == of_mechanism("fifo")
    assert colours.of_mechanism("none of ours") == of_mechanism("none of ours")


def test_the_faults_of_the_time_and_the_last_matrix_are_told() -> None:
    assert "No fault was on" in words(page())
    on = [Interval("cut", "tcp", 1000.0, 1020.0)]
    outcomes = [Outcome("cut", "tcp", 1.5, 12.0, differs=False), Outcome("cut", "udp", None, 3.0, differs=True)]
    text = words(page(broken=Faults(on, outcomes)))
    assert "No fault was on" not in text
    assert "cut tcp" in text
    assert "1.5 s" in text
    assert "not in time" in text
