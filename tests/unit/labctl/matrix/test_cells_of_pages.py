"""The matrix from the pages of the probes, where no Prometheus asks them."""

from __future__ import annotations

from ipclab import mechanisms
from ipclab.matrix.placement import Placement
from labctl.matrix.cells import of_pages

_HERE, _THERE = Placement.SHARED_IPC, Placement.SHARED_NETWORK


def test_a_cell_is_reached_or_has_its_error_or_was_not_measured() -> None:
    fifo = {"mechanism": "fifo"}
    samples = [
        ("ipc_messages_sent_total", {**fifo, "role": "producer"}, 7.0),
        ("probe_success", {**fifo, "placement": str(_HERE)}, 1.0),
        ("probe_round_trip_seconds", {**fifo, "placement": str(_HERE)}, 2e-5),
        ("probe_success", {**fifo, "placement": str(_THERE)}, 0.0),
        ("probe_error_info", {**fifo, "placement": str(_THERE), "error": "ENOENT"}, 1.0),
    ]
    cells = {(cell.mechanism, cell.placement): cell for cell in of_pages(samples, (_HERE, _THERE))}
    assert len(cells) == 2 * len(mechanisms.names())
    here, there, other = cells["fifo", _HERE], cells["fifo", _THERE], cells["tcp", _HERE]
    assert (here.success, here.round_trip_s, here.error) == (True, 2e-5, "")
    assert (there.success, there.round_trip_s, there.error) == (False, None, "ENOENT")
    assert (other.success, other.error) == (None, "")
