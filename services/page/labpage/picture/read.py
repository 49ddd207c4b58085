"""One question to Prometheus for the whole picture.

PromQL's `or` joins vectors. A label tells its parts apart, so one request a second is enough. Source:
https://prometheus.io/docs/prometheus/latest/querying/operators/#logical-set-binary-operators
"""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from labpage.picture.expressions import EXPRESSIONS
from labpage.picture.snapshot import snapshot
from labpage.picture.state import Parts
from labpage.prometheus import Prometheus, PrometheusSilent, Sample

_PART = "picture_part"


def joined(expressions: Mapping[str, str]) -> str:
    """The expression that gives the series of all of them, each with the name of its own as a label."""
    return " or ".join(f'label_replace({text}, "{_PART}", "{name}", "", "")' for name, text in expressions.items())


def parted(samples: list[Sample], names: Mapping[str, str] = EXPRESSIONS) -> Parts:
    """The answer to `joined`, by the names of the expressions."""
    parts: dict[str, list[Sample]] = {name: [] for name in names}
    for sample in samples:
        parts[sample.labels[_PART]].append(sample)
    return parts


def reader(prometheus: Prometheus) -> Callable[[], Awaitable[dict[str, Any]]]:
    """What reads a snapshot for the browsers. It raises nothing: what is wrong is a part of the snapshot."""
    expression = joined(EXPRESSIONS)

    async def read() -> dict[str, Any]:
        try:
            samples = await prometheus.query(expression, every_s=0)
        except PrometheusSilent as error:
            return {"at": time.time(), "trouble": "silent", "reason": str(error)}
        return {"at": time.time(), **snapshot(parted(samples))}

    return read
