"""`./lab sync`: the lock of a pair's shared words, switched while it runs."""

from __future__ import annotations

import time

from labctl.commands import tables
from labctl.grafana import annotation
from labctl.lab import containers
from labctl.lab.containers import Container, run_in
from labctl.lab.lab import Lab
from labctl.measured import races
from labctl.terminal.errors import LabError
from labctl.terminal.progress import step
from labctl.terminal.waiting import wait_until

_TAKEN_UP_WITHIN_S = 30


def change_sync(lab: Lab, mechanism: str, wanted: bool | None) -> None:
    """Switch the lock, None being what the pair was started with; wait until rounds were run so, and show them.

    :raises LabError: the pair does not run, or does not follow
    """
    found = lab.containers()
    consumers = [c for c in containers.of_pair(found, mechanism) if c.running and not c.is_producer]
    if not consumers:
        raise LabError(f"{mechanism} is not running in {lab.project}", hint=f"./lab up {mechanism}")
    consumer = consumers[0]
    prometheus = lab.prometheus
    sync = consumer.environment.get("LAB_SYNC") == "on" if wanted is None else wanted
    before = races.updates(prometheus, mechanism, sync)
    with step(f"Switching sync of {mechanism} {_word(sync)}") as current:
        changed_at = time.time()
        _tell(consumer, mechanism, wanted)
        current.detail("waiting for rounds that were run so")
        if not wait_until(
            lambda: (
                races.both_sides_follow(prometheus, mechanism, sync)
                and races.updates(prometheus, mechanism, sync) > before
            ),
            _TAKEN_UP_WITHIN_S,
        ):
            raise LabError(
                f"Prometheus shows no rounds of {mechanism} with sync {_word(sync)} within {_TAKEN_UP_WITHIN_S} s",
                hint=f"docker logs {consumer.id}",
            )
    annotation.note(lab.configuration, found, "sync", [mechanism], f"sync of {mechanism}: {_word(sync)}", changed_at)
    tables.show_races(races.measure(prometheus, [mechanism]))


def _word(sync: bool) -> str:
    return "on" if sync else "off"


def _tell(consumer: Container, mechanism: str, wanted: bool | None) -> None:
    word = [] if wanted is None else [_word(wanted)]
    ran = run_in(consumer.docker, ["python", "-m", "ipclab", "sync", mechanism, *word])
    if ran.code:
        raise LabError(f"{consumer.service} refused: {ran.said}", hint=f"docker logs {consumer.id}")
