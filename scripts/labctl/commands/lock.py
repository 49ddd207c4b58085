"""`./lab lock`: the lock of a pair's shared words, switched while it runs."""

from __future__ import annotations

import time

from labctl.commands import tables
from labctl.grafana import annotation
from labctl.lab.containers import Container, run_in
from labctl.lab.lab import Lab
from labctl.measured import races
from labctl.terminal.errors import LabError
from labctl.terminal.progress import step
from labctl.terminal.waiting import wait_until

_TAKEN_UP_WITHIN_S = 30


def change_lock(lab: Lab, mechanism: str, wanted: bool | None) -> None:
    """Switch the lock, None being what the pair was started with; wait until rounds were run so, and show them.

    :raises LabError: the pair does not run, or does not follow
    """
    consumer = lab.endpoints(mechanism, producers=False)[0]
    prometheus = lab.prometheus
    locked = consumer.environment.get("LAB_RACE_LOCK") == "on" if wanted is None else wanted
    before = races.updates(prometheus, mechanism, locked)
    with step(f"Switching the lock of {mechanism} {_word(locked)}") as current:
        changed_at = time.time()
        _tell(consumer, mechanism, wanted)
        current.detail("waiting for rounds that were run so")
        if not wait_until(
            lambda: (
                races.both_sides_follow(prometheus, mechanism, locked)
                and races.updates(prometheus, mechanism, locked) > before
            ),
            _TAKEN_UP_WITHIN_S,
        ):
            raise LabError(
                f"Prometheus shows no rounds of {mechanism} with the lock {_word(locked)} "
                f"within {_TAKEN_UP_WITHIN_S} s",
                hint=f"docker logs {consumer.id}",
            )
    annotation.note(
        lab.configuration, lab.containers(), "lock", [mechanism], f"lock of {mechanism}: {_word(locked)}", changed_at
    )
    tables.show_races(races.measure(prometheus, [mechanism]))


def _word(locked: bool) -> str:
    return "on" if locked else "off"


def _tell(consumer: Container, mechanism: str, wanted: bool | None) -> None:
    word = [] if wanted is None else [_word(wanted)]
    ran = run_in(consumer.docker, ["python", "-m", "ipclab", "lock", mechanism, *word])
    if ran.code:
        raise LabError(f"{consumer.service} refused: {ran.said}", hint=f"docker logs {consumer.id}")
