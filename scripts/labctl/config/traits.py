"""The traits of a mechanism, on a machine that may lack what the mechanism needs to run."""

from __future__ import annotations

import sys

from ipclab import mechanisms as registry
from ipclab.contract.channel import Traits
from labctl.terminal.errors import LabError
from labctl.terminal.printing import one_line


def traits_of(name: str) -> Traits:
    """What a mechanism says of itself.

    :raises LabError: its file asks for what this machine does not have
    """
    try:
        return registry.load(name).traits
    except (ImportError, AttributeError, OSError) as error:  # macOS has no sem_timedwait(3), for one
        raise LabError(
            f"{name} cannot be loaded on {sys.platform}: {one_line(error)}",
            hint="the same facts are in docs/MECHANISMS.md",
        ) from error
