"""The races in Prometheus: updates lost and records torn, with the lock and without; and the state of the switches.

The switches are the conditions of every figure of a pair.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from labctl.lab.prometheus import Prometheus, Sample
from labctl.measured.pairs import WINDOW_S, fresh

_COUNTS = {
    "updates": "ipc_shared_updates_total",
    "updates_lost": "ipc_shared_updates_lost_total",
    "records_read": "ipc_shared_records_read_total",
    "records_torn": "ipc_shared_records_torn_total",
}
_SWITCH = "ipc_switch_on{switch='sync'}"


@dataclass(frozen=True)
class Race:
    """One pair under one condition. Counts are totals since the consumer was started."""

    mechanism: str
    sync: bool  # whether the lock was taken
    now: bool  # whether that is so now
    updates: int
    updates_lost: int
    records_read: int
    records_torn: int

    def as_json(self) -> dict[str, Any]:
        """For `status --json`."""
        return asdict(self)


def measure(prometheus: Prometheus, mechanisms: Sequence[str]) -> list[Race]:
    """What has been run so far, and what runs now even if nothing of it was counted yet."""
    counts = {
        name: {_key(sample): int(sample.value) for sample in prometheus.query(fresh(metric))}
        for name, metric in _COUNTS.items()
    }
    switches = prometheus.query(fresh(_SWITCH))
    now = {s.labels["mechanism"]: bool(s.value) for s in switches if s.labels["role"] == "consumer"}
    return [
        Race(mechanism, sync, now.get(mechanism) is sync, **{name: counts[name].get(key, 0) for name in _COUNTS})
        for mechanism in mechanisms
        for sync in (True, False)
        if counts["updates"].get(key := (mechanism, sync)) or now.get(mechanism) is sync
    ]


def both_sides_follow(prometheus: Prometheus, mechanism: str, sync: bool) -> bool:
    """Whether producer and consumer have run the rounds so, and no other way, for a whole window."""
    for side in ("min", "max"):
        said = prometheus.query(f"{side}_over_time({_SWITCH}[{WINDOW_S}s])")
        follow = [s for s in said if s.labels["mechanism"] == mechanism and bool(s.value) is sync]
        if {s.labels["role"] for s in follow} != {"consumer", "producer"}:
            return False
    return True


def updates(prometheus: Prometheus, mechanism: str, sync: bool) -> int:
    """Updates counted so far under this condition."""
    return sum(race.updates for race in measure(prometheus, [mechanism]) if race.sync is sync)


def _key(sample: Sample) -> tuple[str, bool]:
    return sample.labels["mechanism"], sample.labels["sync"] == "on"


Switches = dict[str, dict[str, bool]]


def read(prometheus: Prometheus) -> Switches:
    """Mechanism to switch to whether it is on, as the producer says."""
    found: Switches = {}
    for sample in prometheus.query(fresh("ipc_switch_on{role='producer',switch!='sync'}")):
        found.setdefault(sample.labels["mechanism"], {})[sample.labels["switch"]] = bool(sample.value)
    return found


def lines(switches: Switches) -> list[str]:
    """One line for each pair that has any."""
    return [
        f"{mechanism}: " + ", ".join(f"{switch} {_word(on)}" for switch, on in sorted(states.items()))
        for mechanism, states in sorted(switches.items())
    ]


def _word(on: bool) -> str:
    return "on" if on else "off"
