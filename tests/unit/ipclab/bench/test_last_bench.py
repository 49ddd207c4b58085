"""The exporter shows the file that the last bench left, as it is now."""

from __future__ import annotations

import json
import time
import urllib.request
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ipclab.bench.last_bench import LastBench, serve
from ipclab.metrics import definitions as metrics
from labctl.experiments.bench.document import document
from support.bench_figures import CONDITIONS, a_cell, figure


def bench(*us: float) -> str:
    return json.dumps(document([figure(a_cell("fifo", 64), *us)], CONDITIONS))


def shown(last: LastBench) -> list[float]:
    return [float(s.value) for s in last.samples() if s.definition is metrics.BENCH_MESSAGE]  # type: ignore[arg-type]


def test_the_samples_are_those_of_the_file_as_it_is_now(tmp_path: Path) -> None:
    file = tmp_path / "bench.json"
    last = LastBench(file)
    assert list(last.samples()) == [], "no bench was there yet"
    file.write_text(bench(4.0))
    assert shown(last) == [4e-6]
    file.unlink()
    file.write_text(bench(8.0))
    assert shown(last) == [8e-6]
    file.unlink()
    assert list(last.samples()) == []


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"cells": [{}]}', '{"cells": []}', "\0"])
def test_a_file_that_is_no_bench_counts_as_none(tmp_path: Path, content: str) -> None:
    file = tmp_path / "bench.json"
    file.write_text(content)
    assert list(LastBench(file).samples()) == []


def test_the_page_is_served(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "bench.json"
    file.write_text(bench(4.0))
    monkeypatch.setattr(metrics, "BENCH_PORT", 0)
    server = serve(file)
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{server.port}/metrics", timeout=10) as response:
            families = {f.name: f for f in text_string_to_metric_families(response.read().decode())}
    finally:
        server.close()
    (sample,) = families["ipc_bench_message_seconds"].samples
    assert sample.value == 4e-6
    assert sample.labels == {
        "mechanism": "fifo",
        "role": "bench",
        "implementation": "python",
        "size": "64",
        "shape": "one-way",
        "wait": "block",
        "cpus": "one",
        "copies": "yes",
        "touched": "no",
    }
    assert abs(families["ipc_bench_timestamp_seconds"].samples[0].value - time.time()) < 60
