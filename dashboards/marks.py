"""Marks on the time axis of every graph: what `./lab` noted in Grafana, and what Prometheus shows to have happened.

The second kind needs no `./lab`: who starts containers with Docker alone sees the same marks.
"""

from __future__ import annotations

from typing import Any

from grafana_foundation_sdk.builders.dashboard import AnnotationQuery
from grafana_foundation_sdk.models import dashboard as models

from labctl.terminal import colours

TAG = "ipclab"  # what `./lab` writes under, and what finds the dashboards of the lab

# Every scrape is looked at, and compared with the one before: so a change is one mark.
_STEP = "1s"
_BEFORE = f"offset {_STEP}"
# Where this many scrapes in a row got no answer, an endpoint is gone; on a busy machine one or two time out.
_MISSED = 3
_HEARD = f"[{_MISSED + 1}s]"


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


def happened(where: str = 'mechanism!=""', *, choice: bool = True) -> list[AnnotationQuery]:
    """Starts, stops, and changes of load, switches and namespaces, wherever they came from.

    `where` is the matcher of the mechanisms they are of; without `choice` nobody can switch the marks off.
    """
    end = "mechanism, role"
    # Of an endpoint that did not answer in time, what it said last: that it did not is no event.
    opened = f"sum by ({end}) (last_over_time(ipc_channel_open{{{where}}}{_HEARD}))"
    opened_before = f"sum by ({end}) ({_last_heard('ipc_channel_open', where)})"
    again = f"sum by ({end}) ({_again(where)})"
    load, size = (_changed("mechanism", f"{it}{{{where}}}") for it in ("ipc_load_rate", "ipc_message_size_bytes"))
    switched = _changed("mechanism, switch", f"ipc_switch_on{{{where}}}")
    made = [
        _derived("Opened", f"{_more(opened, opened_before)} or {again}", "{{mechanism}} {{role}}: channel opened"),
        _derived("Closed", _more(opened_before, opened), "{{mechanism}} {{role}}: channel closed, or no answer"),
        _derived("Load", f"{load} or {size}", "{{mechanism}}: new load"),
        # One more than it is: a mark needs a value above zero.
        _derived("Switch", f"1 + ({switched})", "{{mechanism}}: {{switch}} switched"),
        _derived("Place", _moved(end, where), "{{mechanism}} {{role}}: moved, now in IPC namespace {{ipc}}"),
    ]
    return [mark.hide(not choice) for mark in made]


def _derived(name: str, expr: str, title: str) -> AnnotationQuery:
    query = _Query({"expr": expr, "step": _STEP, "titleFormat": title, "tagKeys": "mechanism,role"})
    return query.name(name).icon_color(colours.MARKS[name.lower()])


def _changed(by: str, series: str) -> str:
    return f"max by ({by}) ({series}) != max by ({by}) ({series} {_BEFORE})"


def _last_heard(series: str, where: str) -> str:
    """What an endpoint said before now."""
    return f"last_over_time({series}{{{where}}}{_HEARD} {_BEFORE})"


def _again(where: str) -> str:
    """The open channels that were opened between two answers: once more in one life, or in a new one.

    A restart can be quicker than what is waited for; but the CPU time of a new life begins anew.
    """
    opens, cpu = "ipc_channel_opens_total", "ipc_cpu_seconds_total"
    of_a_mode = f'{where},mode="user"'
    endpoint = "mechanism, role, instance"
    new = (
        f"{opens}{{{where}}} > {_last_heard(opens, where)}"
        f" or on ({endpoint}) {cpu}{{{of_a_mode}}} < {_last_heard(cpu, of_a_mode)}"
    )
    return f"ipc_channel_open{{{where}}} == 1 and on ({endpoint}) ({new})"


def _more(one: str, other: str) -> str:
    """Where `one` is larger, or is there and the other is not."""
    return f"{one} > ({other} or 0 * {one})"


def _moved(end: str, where: str) -> str:
    """Where a container took the place of another; one that only came back, or came beside others, moved nowhere."""
    there = f"ipc_namespace_info{{{where}}}"
    same = f"unless on ({end}, container)"
    new = f"count by ({end}, ipc) ({there} {same} last_over_time({there}[10s] {_BEFORE}))"
    gone = f"last_over_time({there}[1m] {_BEFORE}) {same} {there}"
    return f"{new} and on ({end}) ({gone})"
