"""The JSON has the fields that docs/BENCH.md names, and the CSV, the tables and the comparison follow from it."""

from __future__ import annotations

import csv
import io
import json
import re
from pathlib import Path
from typing import Any

import pytest

from ipclab.bench.request import Shape
from labctl.experiments.bench import comparison, table
from labctl.experiments.bench.document import LABELS, SCHEMA, VALUES, as_csv, document, has_failed, read
from labctl.experiments.bench.figures import Figure, percentile
from labctl.terminal.errors import BadInput
from support.bench_figures import CONDITIONS, a_cell, figure

ROOT = Path(__file__).resolve().parents[5]
_TYPES: dict[str, type | tuple[type, ...]] = {
    "text": str,
    "number": (int, float),
    "integer": int,
    "true or false": bool,
    "object": dict,
    "array": list,
}


def figures() -> list[Figure]:
    """Every kind of cell: Python beside C, without copies, noisy, not possible, failed, a round trip, a limit."""
    failed = figure(a_cell("tcp", 64))
    failed.failed, failed.failures = "2 of 100 messages lost, 0 duplicated", 2
    return [
        figure(a_cell("fifo", 64), 4.0, 4.2, 4.1),
        figure(a_cell("fifo", 64, implementation="c"), 2.0, 2.1, 2.05),
        figure(a_cell("posix_shm", 1 << 20, copies=False), 1.0, 1.5, 1.2),
        figure(a_cell("posix_shm", 1 << 20, copies=False, touched=True), 300.0, 301.0),
        figure(a_cell("posix_mq", 65536, max_bytes=8192)),
        failed,
        figure(a_cell("fifo", 64, Shape.ROUND_TRIP), 15.0),
        figure(a_cell("memory_copy", 1 << 20, limit=True, implementation="c"), 50.0),
    ]


@pytest.fixture
def whole() -> dict[str, Any]:
    found: dict[str, Any] = json.loads(json.dumps(document(figures(), CONDITIONS)))
    return found


def test_a_run_of_a_mechanism_that_failed_fails_the_bench_and_that_of_a_library_does_not(whole: dict[str, Any]) -> None:
    assert has_failed(whole)
    for cell in whole["cells"]:
        if cell["failures"]:
            cell["implementation"] = "zeromq"
    assert not has_failed(whole)


def documented(heading: str) -> dict[str, tuple[str, bool]]:
    """The table below a heading of docs/BENCH.md: field to its type, and whether it may be null."""
    text = (ROOT / "docs" / "BENCH.md").read_text(encoding="utf-8")
    section = text.split(f"### {heading}\n")[1].split("\n#")[0]
    rows = re.findall(r"^\| `(\w+)` \| ([^|]+?) \|", section, re.MULTILINE)
    return {name: (kind.removesuffix(" or null"), kind.endswith(" or null")) for name, kind in rows}


def check(found: dict[str, Any], heading: str) -> None:
    fields = documented(heading)
    assert list(found) == list(fields), heading
    for name, value in found.items():
        kind, optional = fields[name]
        if value is None:
            assert optional, name
        else:
            assert isinstance(value, _TYPES[kind]), (name, value)
            assert kind == "true or false" or not isinstance(value, bool), name


def test_the_schema_is_the_documented_one(whole: dict[str, Any]) -> None:
    check(whole, "The document")
    for cell in whole["cells"]:
        check(cell, "A cell")
        for run in cell["runs"]:
            check(run, "A run")
    assert f'"{SCHEMA}"' in (ROOT / "docs" / "BENCH.md").read_text(encoding="utf-8")


def test_a_cell_without_a_figure_says_why_and_has_no_value(whole: dict[str, Any]) -> None:
    impossible, failed = whole["cells"][4], whole["cells"][5]
    assert impossible["why_not"] == "not possible: limit 8,192 B"
    assert failed["why_not"] == "failed: 2 of 100 messages lost, 0 duplicated"
    for cell in (impossible, failed):
        assert {cell[name] for name in VALUES} == {None}


def test_figures_are_medians_and_what_spreads_is_noisy(whole: dict[str, Any]) -> None:
    fifo, in_c, shm = whole["cells"][:3]
    assert (fifo["us"], fifo["us_min"], fifo["us_max"], fifo["noisy"]) == (4.1, 4.0, 4.2, False)
    assert (shm["us"], shm["noisy"]) == (1.2, True)  # 0.5 of 1.2 is over 30 %
    assert fifo["ratio_to_c"] == pytest.approx(2.0)
    assert in_c["ratio_to_c"] is None
    assert fifo["messages_per_s"] == pytest.approx(1e6 / 4.1)
    assert fifo["bytes_per_s"] == pytest.approx(64e6 / 4.1)
    assert whole["cells"][6]["bytes_per_s"] is None
    assert (fifo["voluntary"], fifo["involuntary"]) == (0.5, 0.1)


@pytest.mark.parametrize(("percent", "value"), [(1, 1), (50, 50), (99, 99), (99.9, 100), (100, 100)])
def test_percentiles_are_of_the_nearest_rank(percent: float, value: int) -> None:
    assert percentile(range(1, 101), percent) == value


def test_the_csv_has_a_line_for_each_cell(whole: dict[str, Any]) -> None:
    lines = list(csv.DictReader(io.StringIO(as_csv(whole))))
    assert len(lines) == len(whole["cells"])
    assert list(lines[0]) == [*LABELS, *VALUES, "runs", "why_not"]
    assert (lines[0]["mechanism"], lines[0]["us"], lines[0]["runs"]) == ("fifo", "4.1", "3")


def test_tables_never_mix_the_two_rows_and_put_the_fastest_first(whole: dict[str, Any]) -> None:
    for title, rows in table.sections(whole["cells"]):
        assert len({cell["touched"] for cell in rows}) == 1
        assert [cell["us"] for cell in rows] == sorted(cell["us"] for cell in rows)
        if not rows[0]["limit"]:
            assert ("nobody reads" in title) is not rows[0]["touched"]


def test_tables_fit_80_columns(whole: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("labctl.terminal.printing.width", lambda: 80)
    slow = figure(a_cell("multiprocessing_queue", 1 << 20, implementation="multiprocessing"), 123456.7, 234567.8)
    whole["cells"] += json.loads(json.dumps(document([slow], CONDITIONS)))["cells"]
    shown = io.StringIO()
    monkeypatch.setattr("sys.stdout", shown)
    table.show(whole)
    text = shown.getvalue()
    assert all(len(line) <= 80 for line in text.splitlines() if "multiprocessing" in line or "fifo" in line)
    header = [line for line in text.splitlines() if "µs" in line and "CPU µs" in line]
    assert all(len(line) <= 80 for line in header)
    assert text.count("CPU µs") >= 6, "no table was cut into pieces"
    assert "posix_mq at 64 KiB: not possible: limit 8,192 B" in text
    assert "pyzmq is not in this image" in text
    assert "a processor" in text


def test_markdown_has_the_day_and_the_machine(whole: dict[str, Any]) -> None:
    text = table.as_markdown(whole)
    assert whole["at"][:10] in text
    assert "a processor" in text
    assert "| fifo | 4.10 |" in text


def test_times_by_size_are_of_our_mechanisms_in_one_way_of_touching(whole: dict[str, Any]) -> None:
    assert table.by_size(whole, touched=False) == [
        "| µs, hand-over | 64 B | 64 KiB | 1 MiB |",
        "|---|--:|--:|--:|",
        "| posix_shm 0-copy | - | - | 1.20 |",
        "| fifo | 4.10 | - | - |",
        "| posix_mq | - | - | - |",
        "| tcp | - | - | - |",
        "",
    ]
    assert table.by_size(whole, touched=True)[2] == "| posix_shm 0-copy | 300 |"


def changed(*us: float, before: tuple[float, ...] = (4.0, 4.1, 4.2)) -> list[comparison.Change]:
    old, new = (document([figure(a_cell("fifo", 64), *runs)], CONDITIONS) for runs in (before, us))
    return comparison.changes(old, new)


def test_only_what_is_beyond_noise_has_changed() -> None:
    assert changed(4.15, 4.3, 4.4) == [], "the ranges overlap"
    assert changed(4.21, 4.22, 4.23) == [], "less than a twentieth"
    assert changed(4.5, 8.0, 9.0) == [], "noisy now"
    (slower,) = changed(8.0, 8.2, 8.4)
    assert slower.times == pytest.approx(2.0)
    (faster,) = changed(2.0, 2.05, 2.1)
    assert faster.times == pytest.approx(0.5)


def test_a_comparison_says_what_it_compares(whole: dict[str, Any]) -> None:
    lines = comparison.lines(whole, {**whole, "machine": {**whole["machine"], "kernel": "7.0.0"}})
    assert "0 of 6 figures changed beyond noise; 1 are noisy" in lines[0]
    assert "kernel 6.18.0 then, 7.0.0 now" in lines[1]
    lines = comparison.lines({**whole, "machine": {"kernel": "\x1b[2J"}}, whole)
    assert "kernel '\\x1b[2J' then, 6.18.0 now" in lines[1]


@pytest.mark.parametrize("content", ["", "{}", "[]", '{"schema": "other"}', '{"schema": "ipc-lab-bench/1"}'])
def test_a_file_that_is_no_bench_is_refused(tmp_path: Path, content: str) -> None:
    (tmp_path / "old.json").write_text(content)
    with pytest.raises(BadInput, match="expected the JSON of a bench"):
        read(tmp_path / "old.json", "--compare")


def test_a_bench_whose_words_would_move_the_cursor_is_refused(tmp_path: Path, whole: dict[str, Any]) -> None:
    for changed in ({"at": "\x1b[2J"}, {"cells": [{**whole["cells"][0], "mechanism": "fi\nfo"}]}):
        (tmp_path / "old.json").write_text(json.dumps({**whole, **changed}))
        with pytest.raises(BadInput, match="expected the JSON of a bench"):
            read(tmp_path / "old.json", "--compare")


def test_what_was_written_is_read_again(tmp_path: Path, whole: dict[str, Any]) -> None:
    (tmp_path / "old.json").write_text(json.dumps(whole))
    assert read(tmp_path / "old.json", "--compare") == whole
