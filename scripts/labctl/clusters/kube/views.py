"""The tables of the pods: the pairs and what they share, and the matrix."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence

from rich.text import Text

from ipclab import mechanisms
from ipclab.matrix.placement import PodPlacement, reachable
from labctl.clusters.kube import observed
from labctl.clusters.kube.pairs import PairView, of_cluster
from labctl.clusters.kube.podman import Cluster
from labctl.config.traits import traits_of
from labctl.matrix import table as matrix
from labctl.matrix.cells import Cell
from labctl.terminal.errors import LabError
from labctl.terminal.printing import new_table, show_lines, show_table, show_text, size
from labctl.terminal.waiting import wait_until

_MEASURED_WITHIN_S = 90  # a start, which takes long on a busy machine, and a round of the probes
_HEADINGS = {place: str(place).replace("_", " ") for place in PodPlacement}
_HINT = "./lab kube status; ./lab kube down, and again"
_PAIRS = (
    "IPC namespace, /dev/shm: whether both sides have the same one; in brackets the size of the consumer's /dev/shm. "
    "Objects: System V objects, POSIX segments, semaphores and queues that both sides see. ✗: the producer has no open "
    "channel, with the errno that a system call returned."
)
_EXPECTED = "Predicted from the traits of the mechanisms. Nothing was measured."


def show_status(cluster: Cluster, as_json: bool) -> None:
    """Print the pairs.

    :raises LabError: nothing was started
    """
    views = of_cluster(cluster, _pods(cluster))
    if as_json:
        sys.stdout.write(json.dumps({"pairs": [view.as_json() for view in views]}, indent=2) + "\n")
        return
    table = new_table()
    for heading in ("pair", "pods", "IPC namespace", "/dev/shm", "objects", "channel", "sent", "received"):
        table.add_column(heading, no_wrap=True)
    for view in views:
        table.add_row(
            view.mechanism,
            ", ".join(sorted({view.consumer_pod, view.producer_pod})),
            _same(view.same_ipc_namespace),
            f"{_same(view.same_dev_shm)} ({size(view.consumer.dev_shm_bytes)})" if view.consumer else "-",
            str(len(view.objects)),
            _channel(view),
            *("-" if count is None else f"{count:,}" for count in (view.sent, view.received)),
        )
    show_table(table)
    show_text(_PAIRS)


def show_matrix(cluster: Cluster, as_json: bool) -> None:
    """Print what the probes measured.

    :raises LabError: nothing was started, or a cell is not what is predicted
    """
    pods = _pods(cluster)

    def read() -> list[Cell]:
        return observed.cells(observed.probes(cluster, pods))

    def as_predicted() -> list[Cell] | None:
        found = read()
        return found if all(cell.as_predicted for cell in found) else None

    cells = wait_until(as_predicted, _MEASURED_WITHIN_S, every_s=1) or read()
    if as_json:
        _print_json(cells)
    else:
        _show(cells)
        show_lines(matrix.reason_lines(cells))
    require_as_predicted(cells)


def show_expected(as_json: bool) -> None:
    """Print what the traits predict; needs no pods."""
    expected = {
        (name, place): reachable(traits_of(name), place) for name in mechanisms.names() for place in PodPlacement
    }
    if as_json:
        cells = [
            {"mechanism": name, "placement": place, "predicted": reached} for (name, place), reached in expected.items()
        ]
        sys.stdout.write(json.dumps({"cells": cells}, indent=2) + "\n")
        return
    table = new_table()
    for heading in ("mechanism", *_HEADINGS.values()):
        table.add_column(heading, no_wrap=True)
    for name in mechanisms.names():
        table.add_row(name, *("✓" if expected[name, place] else "✗" for place in PodPlacement))
    show_table(table)
    show_text(_EXPECTED)


def require_as_predicted(cells: Sequence[Cell]) -> None:
    """Every cell must be measured, and be what the traits predict.

    :raises LabError: one is not; all that are not are named
    """
    if all(cell.success is None for cell in cells):
        raise LabError("nothing is measured: no probe answers", hint=_HINT)
    wrong = [cell for cell in cells if not cell.as_predicted]
    if wrong:
        named = ", ".join(
            f"{c.mechanism} from {c.placement} is {matrix.in_words(c)} and should be {'✓' if c.predicted else '✗'}"
            for c in wrong
        )
        raise LabError(
            f"{len(wrong)} of {len(cells)} cells differ from what the mechanisms' traits predict: {named}", hint=_HINT
        )


def _print_json(cells: Sequence[Cell]) -> None:
    sys.stdout.write(json.dumps({"cells": list(map(matrix.as_json, cells))}, indent=2) + "\n")


def _show(cells: Sequence[Cell]) -> None:
    table = new_table()
    for heading in ("mechanism", *_HEADINGS.values()):
        table.add_column(heading, no_wrap=True)
    rows: dict[str, list[Cell]] = {}
    for cell in cells:
        rows.setdefault(cell.mechanism, []).append(cell)
    for mechanism, row in rows.items():
        marked = (Text(matrix.with_time(cell), style="" if cell.as_predicted else "bold red") for cell in row)
        table.add_row(mechanism, *marked)
    show_table(table)


def _pods(cluster: Cluster) -> list[dict[str, object]]:
    return [manifest for manifest in cluster.played() if manifest["kind"] == "Pod"]


def _same(same: bool | None) -> str:
    return {True: "same", False: "two", None: "-"}[same]


def _channel(view: PairView) -> str:
    if view.open is None:
        return "no answer"
    return "✓" if view.open else f"✗ {view.error}"
