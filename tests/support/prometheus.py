"""A server that answers as Prometheus does."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from labctl.lab.prometheus import Prometheus
from support.json_server import Request, json_server, success

Vector = list[tuple[dict[str, str], float]]


@contextmanager
def prometheus_that_says(answers: dict[str, Vector]) -> Iterator[Prometheus]:
    """A server that answers a query with the first vector whose key is in it, and with none otherwise.

    A question for samples, such as `up[5s]`, gets one sample of each series.
    """

    def answer(request: Request) -> tuple[int, Any]:
        vector: Vector = next((found for key, found in answers.items() if key in request.query["query"]), [])
        if request.query["query"].endswith("]"):
            return success([{"metric": labels, "values": [[0, str(value)]]} for labels, value in vector])
        return success([{"metric": labels, "value": [0, str(value)]} for labels, value in vector])

    with json_server(answer) as port:
        yield Prometheus(port)


def scraped(**counters: float) -> Vector:
    """The samples of one container of fifo that answers: name of a counter to its value."""
    found = [({"mechanism": "fifo", "__name__": f"ipc_{name}_total"}, value) for name, value in counters.items()]
    return [*found, ({"__name__": "up"}, 1.0)]
