"""Waiting until pairs move messages: what their consumers count must grow while we look."""

from __future__ import annotations

from collections.abc import Sequence

from labctl.config import compose_file
from labctl.lab.containers import Container
from labctl.lab.diagnosis import not_moving
from labctl.lab.lab import Lab
from labctl.lab.prometheus import Prometheus, PrometheusSilent
from labctl.measured.pairs import SETTLED_AFTER_S, containers_seen, measure, received
from labctl.terminal.progress import Step, step
from labctl.terminal.waiting import wait_until


def wait_for_traffic(lab: Lab, mechanisms: Sequence[str], timeout_s: float) -> None:
    """Until every pair has moved messages, and long enough to be measured.

    :raises LabError: one moved none within `timeout_s`; the details are printed
    """
    watch = _Watch(lab.prometheus, mechanisms)
    with step(f"Waiting for messages of {in_words(mechanisms)}") as current:
        if not wait_until(lambda: watch.all_move(current), timeout_s):
            raise not_moving(watch.waiting, lab.containers(), timeout_s)
        wait_until(lambda: _settled(lab, mechanisms, current), 2 * SETTLED_AFTER_S)


def unmeasured(prometheus: Prometheus, endpoints: Sequence[Container]) -> list[Container]:
    """The containers of which Prometheus has no figures now: it looks up a new address every 2 s, then scrapes it."""
    try:
        seen = containers_seen(prometheus)
    except PrometheusSilent:
        return [*endpoints]
    return [container for container in endpoints if container.id not in seen]


def in_words(mechanisms: Sequence[str]) -> str:
    """Their names; how many they are where it is all of them."""
    declared = compose_file.declared()
    return f"all {len(declared)} pairs" if set(mechanisms) == set(declared) else ", ".join(mechanisms)


class _Watch:
    """Compares what the consumers count with what they counted when first asked.

    A total alone proves nothing: it outlives restarts, and Prometheus shows it for a while after the end.
    """

    def __init__(self, prometheus: Prometheus, mechanisms: Sequence[str]) -> None:
        self.waiting = list(mechanisms)
        self._prometheus = prometheus
        self._first: dict[str, float] = {}

    def all_move(self, current: Step) -> bool:
        """Look once more."""
        try:
            counts = received(self._prometheus)
        except PrometheusSilent as error:
            current.detail(error.message)
            return False
        for mechanism in list(self.waiting):
            if (count := counts.get(mechanism)) is None:
                continue
            first = self._first[mechanism] = min(count, self._first.get(mechanism, count))
            if count > first:
                self.waiting.remove(mechanism)
        current.detail(f"not yet: {', '.join(self.waiting)}" if self.waiting else "all move")
        return not self.waiting


def _settled(lab: Lab, mechanisms: Sequence[str], current: Step) -> bool:
    """Whether the figures are there, of the running pairs alone, and not of their start."""
    found = lab.containers()
    started = max(c.started_at for c in found if c.mechanism in mechanisms or c.service == "prometheus")
    left_s = started + SETTLED_AFTER_S - lab.prometheus.now()
    current.detail(f"measuring for another {max(left_s, 0):.0f} s")
    return left_s <= 0 and all(pair.one_way_p99_seconds is not None for pair in measure(lab.prometheus, mechanisms))
