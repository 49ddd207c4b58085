"""What the last bench measured, from Prometheus: docs/BENCH.md has the words."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from labpage.panels.asking import Asked

_EVERY_S = 5.0  # Prometheus is given new figures every ten seconds
_LABELS = ("mechanism", "implementation", "shape", "wait", "cpus", "copies", "touched")


async def read(prometheus: Asked) -> dict[str, Any]:
    """Every cell: its labels, `size` in bytes, `seconds`, `p99` in seconds or None, `noisy`; `at` in ms since 1970.

    :raises PrometheusSilent: it does not answer
    """
    times, percentiles, noisy, at = await asyncio.gather(
        prometheus.query("ipc_bench_message_seconds", _EVERY_S),
        prometheus.query('ipc_bench_message_percentile_seconds{percentile="99"}', _EVERY_S),
        prometheus.query("ipc_bench_noisy", _EVERY_S),
        prometheus.query("max(ipc_bench_timestamp_seconds)", _EVERY_S),
    )
    p99 = {_key(sample.labels): sample.value for sample in percentiles}
    is_noisy = {_key(sample.labels): bool(sample.value) for sample in noisy}
    cells = [
        {
            **{label: sample.labels.get(label, "") for label in _LABELS},
            "size": int(sample.labels["size"]),
            "seconds": sample.value,
            "p99": p99.get(_key(sample.labels)),
            "noisy": is_noisy.get(_key(sample.labels), False),
        }
        for sample in times
    ]
    return {"at": at[0].value * 1000 if at else None, "cells": sorted(cells, key=lambda cell: cell["size"])}


def _key(labels: Mapping[str, str]) -> tuple[str, ...]:
    return (labels["size"], *(labels.get(label, "") for label in _LABELS))
