"""`./lab load`: another rate or size for a pair that runs, without restarting it."""

from __future__ import annotations

import time

from labctl.commands import pair_table
from labctl.grafana import annotation
from labctl.lab.containers import Container, run_in
from labctl.lab.lab import Lab
from labctl.lab.prometheus import Prometheus
from labctl.measured.pairs import SETTLED_AFTER_S, current_load, has_load, measure
from labctl.terminal.errors import LabError
from labctl.terminal.progress import step
from labctl.terminal.waiting import wait_until

_SHOWN_WITHIN_S = 15
_TAKEN_UP_WITHIN_S = 30


def change_load(lab: Lab, mechanism: str, rate: int | None, size_bytes: int | None, reset: bool) -> None:
    """Change what is given of the load, wait until Prometheus shows it, and print the pair's row.

    :raises LabError: the pair does not run, or does not take up the load
    """
    producers = lab.endpoints(mechanism, producers=True)
    prometheus = lab.prometheus
    wanted = _initial_load(producers[0]) if reset else _merged(prometheus, mechanism, rate, size_bytes)
    with step(f"Changing the load of {mechanism} to {wanted[0]} messages/s of {wanted[1]} bytes") as current:
        changed_at = time.time()
        for producer in producers:
            _tell(producer, mechanism, wanted, reset)
        current.detail(f"measuring for {SETTLED_AFTER_S} s")
        if not wait_until(lambda: has_load(prometheus, mechanism, *wanted), _TAKEN_UP_WITHIN_S):
            raise LabError(
                f"Prometheus does not show the new load of {mechanism} within {_TAKEN_UP_WITHIN_S} s",
                hint=f"docker logs {producers[0].id}",
            )
    text = f"load of {mechanism}: {wanted[0]} messages/s of {wanted[1]} bytes"
    annotation.note(lab.configuration, lab.containers(), "load", [mechanism], text, changed_at)
    pair_table.show_pairs(measure(prometheus, [mechanism]))


def _initial_load(producer: Container) -> tuple[int, int]:
    """The load that the container was started with."""
    return int(producer.environment["LAB_RATE"]), int(producer.environment["LAB_SIZE"])


def _merged(prometheus: Prometheus, mechanism: str, rate: int | None, size_bytes: int | None) -> tuple[int, int]:
    """What was given, and for the rest what is now."""
    if rate is not None and size_bytes is not None:
        return rate, size_bytes
    # On a busy machine a producer may answer none of the last scrapes.
    now = wait_until(lambda: current_load(prometheus, mechanism), _SHOWN_WITHIN_S)
    if now is None:
        raise LabError(
            f"Prometheus shows no load of {mechanism} within {_SHOWN_WITHIN_S} s",
            hint="./lab doctor looks for the cause; or give both --rate and --size",
        )
    return rate or now[0], size_bytes or now[1]


def _tell(producer: Container, mechanism: str, wanted: tuple[int, int], reset: bool) -> None:
    options = ["--reset"] if reset else ["--rate", str(wanted[0]), "--size", str(wanted[1])]
    ran = run_in(producer.docker, ["python", "-m", "ipclab", "load", mechanism, *options])
    if ran.code:
        raise LabError(f"{producer.service} refused the load: {ran.said}", hint=f"docker logs {producer.id}")
