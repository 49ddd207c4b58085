"""The cells of the last bench, as Prometheus gives them."""

from __future__ import annotations

import asyncio

from labpage.curve import cells
from labpage.prometheus import Line, Sample

LABELS = {
    "mechanism": "fifo",
    "implementation": "python",
    "size": "64",
    "shape": "one-way",
    "wait": "block",
    "cpus": "one",
    "copies": "yes",
    "touched": "no",
}


class Bench:
    """Answers by the name of the metric."""

    def __init__(self, **samples: list[Sample]) -> None:
        self.samples = samples

    async def query(self, expression: str, every_s: float = 1.0) -> list[Sample]:
        del every_s
        return next((found for name, found in self.samples.items() if name in expression), [])

    async def query_range(self, expression: str, span_s: float, step_s: float, every_s: float = 1.0) -> list[Line]:
        del expression, span_s, step_s, every_s
        return []


def test_a_cell_has_what_was_measured_of_it_and_of_no_other() -> None:
    large = {**LABELS, "size": "1048576"}
    bench = Bench(
        ipc_bench_message_seconds=[Sample(large, 2e-3), Sample(LABELS, 1e-6)],
        percentile_seconds=[Sample({**LABELS, "percentile": "99"}, 5e-6)],
        noisy=[Sample(LABELS, 1.0), Sample(large, 0.0)],
        timestamp=[Sample({}, 1_790_000_000.0)],
    )
    made = asyncio.run(cells.read(bench))
    assert made["at"] == 1_790_000_000_000
    small, big = made["cells"]
    assert (small["size"], small["seconds"], small["p99"], small["noisy"]) == (64, 1e-6, 5e-6, True)
    assert (big["size"], big["seconds"], big["p99"], big["noisy"]) == (1048576, 2e-3, None, False)
    assert {name: small[name] for name in LABELS if name != "size"} == {n: t for n, t in LABELS.items() if n != "size"}


def test_without_a_bench_there_is_nothing() -> None:
    assert asyncio.run(cells.read(Bench())) == {"at": None, "cells": []}
