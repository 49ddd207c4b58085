"""Which mechanisms there are: the files in `ipclab.mechanisms`."""

from __future__ import annotations

import importlib
import pkgutil
from typing import cast

from ipclab import mechanisms
from ipclab.channel import Mechanism, Tunable, Tuning


def names() -> list[str]:
    """Every mechanism's name, sorted, without importing any."""
    return sorted(m.name for m in pkgutil.iter_modules(mechanisms.__path__) if not m.name.startswith("_"))


def load(name: str, tuning: Tuning | None = None) -> Mechanism:
    """The mechanism called `name`, one of `names()`, working as `tuning` asks.

    :raises KeyError: there is none of that name
    :raises ValueError: its traits do not offer what `tuning` asks for
    """
    if name not in names():
        raise KeyError(name)
    mechanism = cast(Mechanism, importlib.import_module(f"{mechanisms.__name__}.{name}").MECHANISM)
    offered = mechanism.traits.waits
    if tuning is None or tuning.wait is None or offered == (tuning.wait,):
        return mechanism
    if tuning.wait not in offered:
        raise ValueError(f"{name} cannot {tuning.wait}; it can {' or '.join(offered)}")
    return cast(Tunable, mechanism).tuned(tuning)
