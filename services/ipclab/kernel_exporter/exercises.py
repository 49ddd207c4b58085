"""The progress of the exercises as metrics, from the file that `./lab exercise` leaves beside the last bench.

The page in the browser shows it and reads Prometheus alone: docs/decisions/0060-progress-as-metrics.md
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ipclab.bench.last_bench import text
from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Sample

_NUMBERS = {
    metrics.EXERCISE_CHECKS: "checks",
    metrics.EXERCISE_HINTS: "hints",
    metrics.EXERCISE_SOLUTION: "solution_shown",
    metrics.EXERCISE_STARTED: "started_at",
    metrics.EXERCISE_CHECKED: "checked_at",
}
_TEXTS = ("state", "outcome", "saw", "waits_for", "language")


def samples(document: Mapping[str, Any]) -> Iterator[Sample]:
    """The samples of a document: {"exercises": {NAME: what `_NUMBERS` and `_TEXTS` name}}; no check, no outcome.

    :raises ValueError, KeyError, TypeError, AttributeError, OverflowError: it is none
    """
    for name, record in document["exercises"].items():
        label = text(name)
        yield Sample(metrics.EXERCISE_INFO, 1, (label, *(text(record[field] or "") for field in _TEXTS)))
        for definition, field in _NUMBERS.items():
            if record[field] is not None:
                yield Sample(definition, float(record[field]), (label,))
