"""`labctl.matrix.explain`: what is known of two containers, also of one that has just come."""

from __future__ import annotations

from typing import Any

from labctl.lab.prometheus import Prometheus
from labctl.matrix.explain import namespaces
from support.json_server import Request, json_server, success


def test_a_container_that_was_not_scraped_yet_is_waited_for() -> None:
    asked: list[str] = []

    def answer(request: Request) -> tuple[int, Any]:
        asked.append(request.query["query"])
        containers = ["old", "new"] if len(asked) > 2 else ["old"]
        return success([{"metric": {"container": c, "ipc": f"40265{c}"}, "value": [0, "1"]} for c in containers])

    with json_server(answer) as port:
        found = namespaces(Prometheus(port), ("old", "new"))
    assert {container: labels["ipc"] for container, labels in found.items()} == {"old": "40265old", "new": "40265new"}
    assert len(asked) == 3
