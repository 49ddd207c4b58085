"""What `./lab` changes is written into Grafana's own store, so that it stands on the graphs where it happened."""

from __future__ import annotations

import time
from collections.abc import Sequence

from labctl import grafana_access
from labctl.config.configuration import Configuration
from labctl.lab.containers import Container
from labctl.terminal.errors import LabError
from labctl.terminal.progress import say

TAG = "ipclab"  # on every one; the dashboards ask for it


def note(
    configuration: Configuration,
    found: Sequence[Container],
    what: str,
    mechanisms: Sequence[str],
    text: str,
    at_s: float | None = None,
) -> bool:
    """Annotate a change of these mechanisms, made at `at_s` (seconds since 1970; None is now).

    The tags are `ipclab`, the command that made it, and the mechanisms. Where a Grafana is expected and cannot be
    written to, one line says so, and the answer is False; the change itself was made and stays.
    """
    try:
        grafana = grafana_access.find(configuration, found)
        if grafana is not None:
            grafana.annotate(text, [TAG, what, *mechanisms], time.time() if at_s is None else at_s)
    except LabError as error:
        say(f"no annotation on the dashboards: {error}")
        return False
    return True
