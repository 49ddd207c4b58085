"""Every query of every panel, asked of the live Prometheus as Grafana would: none has nothing to show."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from dashboards.__main__ import DASHBOARDS, JSON

from ipclab.runtime.overrides import Load
from lab.harness.stack import Stack, wait_until

_MECHANISM = "${mechanism:text}"


def document(name: str) -> dict[str, Any]:
    made: dict[str, Any] = json.loads((JSON / name).read_text())
    return made


def queries(name: str) -> Iterator[tuple[str, str]]:
    """(panel, PromQL) with every variable replaced: by all that it offers, or by "All"."""
    board = document(name)
    offered = {
        variable["name"]: [option["text"] for option in variable.get("options", [])]
        for variable in board["templating"].get("list", [])
    }
    for panel in board["panels"]:
        for target in panel.get("targets", []):
            expr = target["expr"].replace("$__rate_interval", "4s").replace("$size", ".*")
            if _MECHANISM not in expr:
                yield panel["title"], expr
            else:
                yield from ((f"{panel['title']} ({m})", expr.replace(_MECHANISM, m)) for m in offered["mechanism"])


@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_query_returns_series(eventful: Stack, name: str) -> None:
    asked = list(queries(name))
    assert asked
    assert not [expr for _, expr in asked if re.search(r"\$[a-z_{]", expr)], "a variable that nobody replaced"

    missing = asked

    def all_answered() -> bool:
        nonlocal missing
        missing = [(panel, expr) for panel, expr in asked if not eventful.query(expr)]
        return not missing

    # A rate needs a few scrapes, and a round of the probes takes some seconds.
    try:
        wait_until(f"every query of {name} has series", 40, all_answered)
    finally:
        assert missing == []


@pytest.mark.parametrize("name", DASHBOARDS)
def test_prometheus_understands_the_marks(stack: Stack, name: str) -> None:
    """Where nothing happened there is no mark; so only the answer is looked at, not how many there are."""
    for mark in document(name)["annotations"]["list"]:
        if "expr" in mark:
            stack.query(mark["expr"].replace(_MECHANISM, "fifo"))


def test_a_change_of_load_leaves_a_mark(stack: Stack) -> None:
    marks = {mark["name"]: mark["expr"] for mark in document("faults.json")["annotations"]["list"] if "expr" in mark}
    expr = f'sum_over_time((({marks["Load"]}) and on (mechanism) ipc_load_rate{{mechanism="fifo"}})[15s:1s])'
    stack.set_load("fifo", Load(rate=77, size_bytes=1024))
    try:
        wait_until("the new load of fifo is marked", 15, lambda: stack.query(expr))
    finally:
        stack.set_load("fifo", None)
