"""A dashboard with the data that it shows now, kept by Grafana under an address of its own."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from labctl import grafana_panels, snapshot_fields
from labctl.grafana import Grafana
from labctl.grafana_panels import Answer

_LEGEND = re.compile(r"\{\{\s*(\w+)\s*\}\}")

Frame = dict[str, Any]


def make(grafana: Grafana, uid: str) -> str:
    """Take a snapshot of one dashboard; returns the address that shows it.

    :raises LabError: Grafana, or its data source, does not answer or refuses
    """
    dashboard = grafana.dashboard(uid)
    values = grafana_panels.variables(grafana, dashboard)
    now = time.time()
    for panel in grafana_panels.panels(dashboard):
        answers = grafana_panels.ask(grafana, panel, values, now)
        data = [frame for answer in answers for frame in frames(answer)]
        if snapshot_fields.transformable(panel):
            data = snapshot_fields.transformed(panel, data)
            panel["transformations"] = []
        panel["snapshotData"] = snapshot_fields.configured(panel, data)
        panel["targets"] = []
    for panel in dashboard["panels"]:
        _put_in(panel, values)
    name = f"{dashboard['title']} {time.strftime('%Y-%m-%d %H:%M:%S', time.localtime(now))}"
    dashboard |= {
        "id": None,
        "uid": None,
        "refresh": "",
        "time": {"from": _iso(now - grafana_panels.WINDOW_S), "to": _iso(now)},
        "snapshot": {"timestamp": _iso(now)},
        "annotations": {"list": []},
        "templating": {"list": []},
    }
    return grafana.keep(dashboard, name)


def frames(answer: Answer) -> list[Frame]:
    """Grafana's data frames (@grafana/data, DataFrameDTO): a table of an instant, or a frame for each line."""
    ref_id = answer.target["refId"]
    if answer.target.get("format") == "table":
        return [_table(ref_id, answer.series)] if answer.series else []
    legend = str(answer.target.get("legendFormat", ""))
    lines = [_line(ref_id, series, legend) for series in answer.series]
    return _buckets(lines) if answer.target.get("format") == "heatmap" else lines


def _buckets(lines: list[Frame]) -> list[Frame]:
    """Of cumulative buckets what is in each alone, lowest first, as Grafana's data source hands them to a heatmap."""
    lines.sort(key=lambda frame: float(frame["fields"][1]["labels"].get("le", "inf")))
    below: dict[float, float] = {}
    for times, values in (frame["fields"] for frame in lines):
        for index, (moment, count) in enumerate(zip(times["values"], values["values"], strict=True)):
            values["values"][index] = max(0.0, (count or 0.0) - below.get(moment, 0.0))
            below[moment] = count or 0.0
    return lines


def _put_in(panel: dict[str, Any], values: Mapping[str, str]) -> None:
    """The variables' values into what a panel says: a snapshot has nothing to choose from."""
    for key in ("title", "description"):
        if key in panel:
            panel[key] = grafana_panels.interpolate(panel[key], values)
    options = panel.get("options") or {}
    if "content" in options:
        options["content"] = grafana_panels.interpolate(options["content"], values)


def _table(ref_id: str, series: list[dict[str, Any]]) -> Frame:
    labels = sorted({name for entry in series for name in entry["metric"]})
    return {
        "refId": ref_id,
        "fields": [
            _field("Time", "time", [entry["value"][0] * 1000 for entry in series]),
            *(_field(name, "string", [entry["metric"].get(name, "") for entry in series]) for name in labels),
            _field(f"Value #{ref_id}", "number", [_number(entry["value"][1]) for entry in series]),
        ],
    }


def _line(ref_id: str, series: dict[str, Any], legend: str) -> Frame:
    points = series.get("values") or [series["value"]]
    name = _LEGEND.sub(lambda match: str(series["metric"].get(match[1], "")), legend).strip()
    value = _field("Value", "number", [_number(text) for _, text in points])
    value["labels"] = series["metric"]
    if name:
        value["config"] = {"displayName": name}
    return {
        "refId": ref_id,
        "name": name,
        "fields": [_field("Time", "time", [moment * 1000 for moment, _ in points]), value],
    }


def _field(name: str, kind: str, values: list[Any]) -> dict[str, Any]:
    return {"name": name, "type": kind, "values": values, "config": {}}


def _number(text: str) -> float | None:
    """JSON has no NaN and no infinity; Grafana leaves a gap for null."""
    value = float(text)
    return value if abs(value) < float("inf") else None


def _iso(moment: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(moment))
