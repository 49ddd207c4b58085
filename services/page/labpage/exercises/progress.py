"""The progress that `./lab exercise` published: docs/decisions/0060-progress-as-metrics.md"""

from __future__ import annotations

import asyncio
from dataclasses import asdict, dataclass
from typing import Any

from labpage.prometheus import Prometheus

_EVERY_S = 2.0  # Prometheus is given a new one every ten seconds
_NUMBERS = {
    "checks": "ipc_exercise_checks",
    "hints": "ipc_exercise_hints",
    "solution_shown": "ipc_exercise_solution_shown",
    "started_at": "ipc_exercise_start_timestamp_seconds",
    "checked_at": "ipc_exercise_check_timestamp_seconds",
}


@dataclass
class Progress:
    """One exercise that was begun; times in seconds since 1970. `language` is that of `saw` and `waits_for`."""

    state: str
    outcome: str
    saw: str
    waits_for: str
    language: str
    checks: int = 0
    hints: int = 0
    solution_shown: int = 0
    started_at: float | None = None
    checked_at: float | None = None


async def read(prometheus: Prometheus) -> dict[str, dict[str, Any]]:
    """The progress by the exercises' names; an exercise that was not begun is not there.

    :raises PrometheusSilent: it does not answer
    """
    names = list(_NUMBERS)
    infos, *numbers = await asyncio.gather(
        prometheus.query("ipc_exercise_info", _EVERY_S), *(prometheus.query(_NUMBERS[n], _EVERY_S) for n in names)
    )
    found: dict[str, Progress] = {}
    for info in infos:
        label = info.labels.get
        found[info.labels["exercise"]] = Progress(
            label("state", ""), label("outcome", ""), label("saw", ""), label("waits", ""), label("language", "")
        )
    for name, samples in zip(names, numbers, strict=True):
        for sample in samples:
            if sample.labels["exercise"] in found:
                value = sample.value if name.endswith("_at") else int(sample.value)
                setattr(found[sample.labels["exercise"]], name, value)
    return {name: asdict(progress) for name, progress in found.items()}
