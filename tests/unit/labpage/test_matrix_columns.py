"""The columns of the matrix: those of containers, or those of pods where probes in pods measure."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from labpage.matrix.cells import read
from labpage.prometheus import Prometheus
from support.json_server import Request, json_server, success

_CONTAINERS = ["same_container", "shared_ipc", "ipc_namespace", "shared_volume", "shared_network"]


def matrix_of(measured: list[str]) -> dict[str, Any]:
    """What the browser gets where probes have reached `tcp` from these placements."""

    def answer(request: Request) -> tuple[int, Any]:
        if not request.query["query"].startswith("(probe_success "):
            return success([])
        labels = [{"mechanism": "tcp", "placement": place} for place in measured]
        return success([{"metric": one, "value": [0, "1"]} for one in labels])

    async def ask(port: int) -> dict[str, Any]:
        prometheus = Prometheus(f"http://127.0.0.1:{port}")
        try:
            return await read(prometheus)
        finally:
            await prometheus.close()

    with json_server(answer) as port:
        return asyncio.run(ask(port))


@pytest.mark.parametrize(
    ("measured", "columns"),
    [
        ([], _CONTAINERS),
        (["same_container", "shared_network"], _CONTAINERS),
        (["same_container", "second_host"], [*_CONTAINERS, "second_host"]),
        (["same_container", "same_node"], ["same_container", "same_pod", "same_node", "other_node"]),
    ],
)
def test_the_columns_are_the_placements_that_can_be_measured(measured: list[str], columns: list[str]) -> None:
    matrix = matrix_of(measured)
    assert matrix["placements"] == columns
    reached = [cell["placement"] for cell in matrix["cells"] if cell["success"]]
    assert reached == measured


def test_what_explains_a_cell_of_containers_explains_none_of_pods() -> None:
    cells = matrix_of(["same_container", "other_node"])["cells"]
    assert {cell["placement"]: (cell["explained"], cell["elsewhere"]) for cell in cells} == {
        "same_container": (True, False),
        "same_pod": (False, False),
        "same_node": (False, False),
        "other_node": (False, True),
    }
