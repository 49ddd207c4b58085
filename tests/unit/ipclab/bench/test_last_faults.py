"""The exporter shows the last fault matrix: what `./lab fault matrix` leaves is what the exporter reads."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipclab import mechanisms
from ipclab.bench.last_bench import LastBench, fault_samples
from ipclab.metrics import definitions as metrics
from labctl.faults import registry
from labctl.faults.matrix import Cell
from labctl.faults.measurement import Measured


def cell(mechanism: str, back_s: float | None) -> Cell:
    fault = registry.fault("kill-consumer")
    lost = {"consumer_restart": 2, "channel": 1}
    measured = Measured(True, back_s, 100, lost, 0, (), True)
    return Cell(fault, mechanism, "", fault.predict(mechanisms.load(mechanism).traits, 0), measured)


def test_each_measured_cell_has_its_samples(tmp_path: Path) -> None:
    file = tmp_path / "faults.json"
    last = LastBench(file, fault_samples)
    assert list(last.samples()) == []
    cells = [cell("fifo", 1.5), cell("tcp", None), Cell(registry.fault("cut"), "udp", "no reason")]
    file.write_text(json.dumps({"cells": [it.as_json() for it in cells]}))
    found = {(s.definition.name, s.mechanism): (s.value, s.labels) for s in last.samples()}
    assert found == {
        (metrics.FAULT_BACK.name, "fifo"): (1.5, ("kill-consumer",)),
        (metrics.FAULT_LOST.name, "fifo"): (3, ("kill-consumer",)),
        (metrics.FAULT_DIFFERS.name, "fifo"): (False, ("kill-consumer",)),
        (metrics.FAULT_LOST.name, "tcp"): (3, ("kill-consumer",)),
        (metrics.FAULT_DIFFERS.name, "tcp"): (True, ("kill-consumer",)),
    }


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"cells": [{}]}', "\0"])
def test_a_file_that_is_no_matrix_counts_as_none(tmp_path: Path, content: str) -> None:
    file = tmp_path / "faults.json"
    file.write_text(content)
    assert list(LastBench(file, fault_samples).samples()) == []
