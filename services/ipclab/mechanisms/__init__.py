"""The mechanisms: one file each, whose name is the mechanism's name everywhere, and the registry of these files."""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from typing import cast

from ipclab.contract.channel import Mechanism, Switch, Tunable, Tuning

_UNTUNED = Tuning()


class NotOffered(ValueError):
    """A mechanism leaves no such choice: `choice` is the field of `Tuning` or the switch, the text says what it has."""

    def __init__(self, choice: str, message: str) -> None:
        self.choice = choice
        super().__init__(message)


def names() -> list[str]:
    """Every mechanism's name, sorted, without importing any."""
    return list(_names())


@cache
def _names() -> tuple[str, ...]:
    """Reading the folder takes 0.2 ms, and the settings ask for it dozens of times."""
    return tuple(sorted(m.name for m in pkgutil.iter_modules(__path__) if not m.name.startswith("_")))


def load(name: str, tuning: Tuning = _UNTUNED) -> Mechanism:
    """The mechanism called `name`, one of `names()`, working as `tuning` asks.

    :raises KeyError: there is none of that name
    :raises NotOffered: its traits do not offer what `tuning` asks for
    """
    if name not in names():
        raise KeyError(name)
    mechanism = cast(Mechanism, importlib.import_module(f"{__name__}.{name}").MECHANISM)
    waits, switches = mechanism.traits.waits, mechanism.traits.switches
    if tuning.wait is not None and tuning.wait not in waits:
        raise NotOffered("wait", f"{name} cannot {tuning.wait}; it can {' or '.join(waits)}")
    for switch in tuning.switches:
        if switch not in switches:
            raise NotOffered(switch, lacks(name, switch))
    if tuning.switches or (tuning.wait is not None and len(waits) > 1):
        return cast(Tunable, mechanism).tuned(tuning)
    return mechanism


def having(switch: Switch) -> list[str]:
    """The mechanisms that have this switch."""
    return [name for name in names() if switch in load(name).traits.switches]


def lacks(name: str, switch: Switch) -> str:
    """The reason why the mechanism lacks the switch, in one line; empty if it has the switch."""
    owners = having(switch)
    return "" if name in owners else f"{name} has no {switch.replace('_', ' ')}; those that have: {', '.join(owners)}"
