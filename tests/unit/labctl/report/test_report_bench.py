"""The report shows the last bench, both rows apart, and says where there was none."""

from __future__ import annotations

from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from ipclab.bench import last_bench as exporter
from ipclab.metrics.definitions import Role
from ipclab.metrics.exposition import Page
from labctl.experiments.bench.document import document
from labctl.lab.prometheus import Prometheus, Sample
from labctl.report import last_bench, report
from labctl.report.data import Measured
from labctl.report.plots import png
from support.bench_figures import CONDITIONS, a_cell, figure


class Exported(Prometheus):
    """Answers the report's queries from the exporter's own page: each is `min by (labels) (metric{matchers})`."""

    def __init__(self, whole: dict[str, Any]) -> None:
        super().__init__(0)
        text = Page("", Role.BENCH, lambda: exporter.samples(whole)).text()
        self._samples = [sample for family in text_string_to_metric_families(text) for sample in family.samples]

    def query(self, expression: str) -> list[Sample]:
        name, _, matchers = expression.rpartition("(")[2].rstrip(")").partition("{")
        wanted = dict(pair.split("=") for pair in matchers.rstrip("}").split(",") if pair)
        return [
            Sample(dict(sample.labels), sample.value)
            for sample in self._samples
            if sample.name == name and all(sample.labels[key] == text.strip('"') for key, text in wanted.items())
        ]


def bench(*figures: Any) -> last_bench.LastBench | None:
    return last_bench.read(Exported(document(figures, CONDITIONS)))


FOUND = bench(
    figure(a_cell("fifo", 64), 4.0),
    figure(a_cell("fifo", 64, implementation="c"), 2.0),
    figure(a_cell("sysv_shm", 1 << 20, copies=False), 1.0, 2.0),
    figure(a_cell("sysv_shm", 1 << 20, copies=False, touched=True), 300.0),
)


def test_a_limit_of_the_machine_is_no_mechanism_in_c() -> None:
    found = bench(
        figure(a_cell("memory_copy", 64, implementation="c", limit=True), 0.1), figure(a_cell("fifo", 64), 4.0)
    )
    assert found
    assert [(row.name, row.ratio) for row in found.rows] == [("memory_copy (limit)", None), ("fifo", None)]


def test_rows_are_in_order_with_their_ratio_to_c() -> None:
    assert FOUND
    assert [(row.name, row.in_words, row.touched) for row in FOUND.rows] == [
        ("fifo C", "64 B", False),
        ("fifo", "64 B", False),
        ("sysv_shm 0-copy", "1 MiB", False),
        ("sysv_shm 0-copy", "1 MiB", True),
    ]
    assert [row.ratio for row in FOUND.rows] == [None, 2.0, None, None]
    assert [row.noisy for row in FOUND.rows] == [False, False, True, False]


def test_the_page_has_both_rows_apart() -> None:
    assert FOUND
    drawn = png(last_bench.plot(FOUND))
    assert drawn.startswith(b"\x89PNG")
    plots = dict.fromkeys(("rate.png", "latency.png", "percentiles.png", "cost.png"), b"") | {"bench.png": drawn}
    page = report.page(Measured(0.0, 60.0, [], {}, 1.0), 60, [], [], [], plots, FOUND)
    hand_over, touched = page.partition("Hand-over: nobody")[2].split("Touched: every byte")
    assert (hand_over.count("sysv_shm"), touched.partition("</table>")[0].count("sysv_shm")) == (1, 1)
    assert "300 µs" in touched
    assert "No bench has run yet" not in page


def test_without_a_bench_the_page_says_so() -> None:
    assert bench() is None
    plots = dict.fromkeys(("rate.png", "latency.png", "percentiles.png", "cost.png"), b"")
    assert "No bench has run yet" in report.page(Measured(0.0, 60.0, [], {}, 1.0), 60, [], [], [], plots)
