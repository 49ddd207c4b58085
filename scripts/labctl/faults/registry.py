"""The faults by name, in the order in which they are shown; which of them make sense where, and which at once."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING

from ipclab import mechanisms
from labctl.config import compose_file
from labctl.config.values import known_name, shown
from labctl.faults import kinds
from labctl.faults.fault import Fault, Scope

if TYPE_CHECKING:
    from labctl.faults.running import Running


@cache
def all_faults() -> Mapping[str, Fault]:
    """By name; of every file in `labctl.faults.kinds`."""
    found: dict[str, Fault] = {}
    for module in sorted(pkgutil.iter_modules(kinds.__path__), key=lambda m: m.name):
        for fault in importlib.import_module(f"{kinds.__name__}.{module.name}").FAULTS:
            assert fault.name not in found, f"two faults are called {fault.name}"
            found[fault.name] = fault
    return found


def fault(name: str) -> Fault:
    """The fault called so.

    :raises BadInput: there is none
    """
    return all_faults()[known_name(f"NAME {shown(name)}", name, sorted(all_faults()))]


def refusal(of: Fault, mechanism: str) -> str:
    """Why a fault makes no sense there; empty where it does. A fault of the lab has no mechanism: ""."""
    if told := of.told():
        return told
    if of.scope is Scope.LAB:
        return f"{of.name} is a fault of the whole lab, not of {mechanism}" if mechanism else ""
    return of.refusal(mechanisms.load(mechanism).traits) if mechanism else f"{of.name} needs a pair"


def targets(of: Fault) -> list[str]:
    """The mechanisms for which a fault makes sense; of a fault of the lab, those that it reaches."""
    declared = compose_file.declared()
    if of.told():
        return []
    return [name for name in declared if not of.refusal(mechanisms.load(name).traits)]


def exclusion(of: Fault, mechanism: str, active: Sequence[Running]) -> str:
    """Which running fault excludes this one there; empty where none does."""
    for other in active:
        if other.fault.name == of.name and other.mechanism == mechanism:
            return f"{of.name} is on there already"
        if of.touches & other.fault.touches and _meet(of, mechanism, other):
            both = " and the ".join(sorted(of.touches & other.fault.touches))
            return f"{other.fault.name} is on, which changes the {both} too"
    return ""


def _meet(of: Fault, mechanism: str, other: Running) -> bool:
    """Whether the two are on one pair; a fault of the lab reaches several."""
    if of.scope is other.fault.scope:
        return mechanism == other.mechanism
    whole, pair = (of, other.mechanism) if of.scope is Scope.LAB else (other.fault, mechanism)
    return pair in targets(whole)


def reason(of: Fault, mechanism: str) -> str:
    """Why a fault reaches no pair of this mechanism, by its traits; empty where it does."""
    return of.refusal(mechanisms.load(mechanism).traits)
