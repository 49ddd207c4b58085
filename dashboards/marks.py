"""Marks on the time axis of every graph: what `./lab` noted in Grafana, and what Prometheus shows to have happened.

The second kind needs no `./lab`: who starts containers with Docker alone sees the same marks.
"""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.builders.dashboard import AnnotationQuery
from grafana_foundation_sdk.models import dashboard as models

from dashboards import colours

TAG = "ipclab"  # what `./lab` writes under, and what finds the dashboards of the lab

# A change is a difference to two scrapes before; every scrape is looked at.
_BEFORE = "offset 2s"
_STEP = "1s"


class _Query(AnnotationQuery):
    """With fields that the SDK's type has no setter for; older Grafanas look for them at the top, newer in `target`."""

    def __init__(self, fields: dict[str, Any]) -> None:
        super().__init__()
        self._internal = _Model(fields)


class _Model(models.AnnotationQuery):
    def __init__(self, fields: dict[str, Any]) -> None:
        super().__init__()
        self._fields = fields

    def to_json(self) -> dict[str, object]:
        return {**super().to_json(), **self._fields}


def noted() -> AnnotationQuery:
    """What was noted in Grafana under the lab's tag: by `./lab`, or by hand."""
    what = {"type": "tags", "tags": [TAG], "matchAny": True, "limit": 200}
    query = _Query({"datasource": "-- Grafana --", "target": {**what, "refId": "Anno"}, **what})
    return query.name("Noted").icon_color(colours.MARKS["noted"])


def happened() -> list[AnnotationQuery]:
    """Starts, stops, and changes of load, switches and namespaces, wherever they came from."""
    end = "mechanism, role"
    opened, opened_before = _now_and_before("sum", end, "ipc_channel_open")
    there, there_before = _now_and_before("count", f"{end}, ipc", 'ipc_namespace_info{mechanism!=""}')
    again = f"sum by ({end}) (changes(ipc_channel_opens_total[2s])) > 0"
    switched = _changed("mechanism, switch", "ipc_switch_on")
    load = f"{_changed('mechanism', 'ipc_load_rate')} or {_changed('mechanism', 'ipc_message_size_bytes')}"
    return [
        _derived("Opened", f"{_more(opened, opened_before)} or {again}", "{{mechanism}} {{role}}: channel opened"),
        _derived("Closed", _more(opened_before, opened), "{{mechanism}} {{role}}: channel closed, or stopped"),
        _derived("Load", load, "{{mechanism}}: new load"),
        # One more than it is: a mark needs a value above zero.
        _derived("Switch", f"1 + ({switched})", "{{mechanism}}: {{switch}} switched"),
        _derived("Place", _more(there, there_before), "{{mechanism}} {{role}}: in IPC namespace {{ipc}}"),
    ]


def _derived(name: str, expr: str, title: str) -> AnnotationQuery:
    query = _Query({"expr": expr, "step": _STEP, "titleFormat": title, "tagKeys": "mechanism,role"})
    return query.name(name).icon_color(colours.MARKS[name.lower()])


def _now_and_before(operator: str, by: str, series: str) -> tuple[str, str]:
    return f"{operator} by ({by}) ({series})", f"{operator} by ({by}) ({series} {_BEFORE})"


def _changed(by: str, series: str) -> str:
    now, before = _now_and_before("max", by, series)
    return f"{now} != {before}"


def _more(one: str, other: str) -> str:
    """Where `one` is larger, or is there and the other is not."""
    return f"{one} > ({other} or 0 * {one})"
