"""Lines of one mechanism, which have one colour, differ by their stroke."""

from __future__ import annotations

import json
import re
from itertools import combinations
from typing import Any

import pytest
from dashboards import lines
from dashboards.__main__ import JSON

from ipclab import mechanisms
from ipclab.contract.optional_parts import MOST

Panel = dict[str, Any]


def panel(dashboard: str, title: str) -> Panel:
    panels: list[Panel] = json.loads((JSON / f"{dashboard}.json").read_text())["panels"]
    return next(panel for panel in panels if panel["title"] == title)


def look(panel: Panel, legend: str) -> str:
    """All that the panel's overrides say of the series with this legend but for its colour, in one text."""
    properties = {
        it["id"]: it["value"]
        for override in panel["fieldConfig"]["overrides"]
        if re.search(override["matcher"]["options"].strip("/"), legend)
        for it in override["properties"]
    }
    return json.dumps({name: value for name, value in properties.items() if name != "color"}, sort_keys=True)


def alike(panel: Panel, legends: list[str]) -> list[tuple[str, str]]:
    return [(one, other) for one, other in combinations(legends, 2) if look(panel, one) == look(panel, other)]


@pytest.mark.parametrize("mechanism", mechanisms.names())
def test_the_errnos_of_a_mechanism_look_different(mechanism: str) -> None:
    errnos = mechanisms.load(mechanism).traits.send_errnos
    assert set(errnos) <= set(lines.OF_ERRNO), "an errno without a stroke"
    refused = panel("faults", "What does the kernel refuse?")
    assert alike(refused, [f"{mechanism} {errno}" for errno in errnos]) == []


def test_the_reasons_of_a_loss_look_different() -> None:
    lost = panel("faults", "What was lost or skipped, and why?")
    assert alike(lost, [*(f"fifo {reason}" for reason in lines.OF_REASON), "fifo skipped"]) == []


def test_types_and_priorities_look_different() -> None:
    classes = panel("faults", "Which types and priorities were received?")
    for first in (0, 1):  # priorities count from 0, types from 1
        assert alike(classes, [f"sysv_mq type {number}" for number in range(first, first + MOST)]) == []


def test_a_stroke_is_for_the_end_of_a_name_alone() -> None:
    received = panel("faults", "How much did each consumer receive?")
    assert look(received, "sysv_mq") == look(received, "fifo") == look(received, "posix_shm")
    assert look(received, "sysv_mq 0123456789ab") != look(received, "sysv_mq 0123456789ac")
