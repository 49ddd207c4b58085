"""How the switches of the pairs stand, so that every figure has its conditions; `races` has those of the race."""

from __future__ import annotations

from labctl.measurements import fresh
from labctl.prometheus import Prometheus

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
