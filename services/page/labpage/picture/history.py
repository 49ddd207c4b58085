"""The graph of one pair: what was sent and received a second, over the last minutes."""

from __future__ import annotations

from typing import Any

from ipclab import mechanisms
from labpage.prometheus import Prometheus

SPAN_S, STEP_S = 300.0, 2.0
_LINES = {"sent": "mechanism:ipc_messages_sent:rate5s", "received": "mechanism:ipc_messages_received:rate5s"}


async def history(prometheus: Prometheus, mechanism: str) -> dict[str, Any]:
    """Points (seconds since 1970, messages a second) of each line, and the times between which they lie.

    :raises KeyError: there is no such mechanism
    :raises PrometheusSilent: it does not answer
    """
    if mechanism not in mechanisms.names():
        raise KeyError(mechanism)
    found: dict[str, Any] = {name: [] for name in _LINES}
    for name, series in _LINES.items():
        for line in await prometheus.query_range(f'{series}{{mechanism="{mechanism}"}}', SPAN_S, STEP_S, STEP_S):
            found[name] = list(zip(line.times, line.values, strict=True))
    end = max((points[-1][0] for points in found.values() if points), default=SPAN_S)
    return {**found, "start": end - SPAN_S, "end": end}
