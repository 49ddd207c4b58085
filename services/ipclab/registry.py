"""Which mechanisms there are: the files in `ipclab.mechanisms`."""

from __future__ import annotations

import importlib
import pkgutil
from typing import cast

from ipclab import mechanisms
from ipclab.channel import Mechanism


def names() -> list[str]:
    """Every mechanism's name, sorted, without importing any."""
    return sorted(m.name for m in pkgutil.iter_modules(mechanisms.__path__) if not m.name.startswith("_"))


def load(name: str) -> Mechanism:
    """The mechanism called `name`, one of `names()`.

    :raises KeyError: there is none of that name
    """
    if name not in names():
        raise KeyError(name)
    return cast(Mechanism, importlib.import_module(f"{mechanisms.__name__}.{name}").MECHANISM)
