"""What Grafana does to a panel's data before it draws: transformations and field options, put into a snapshot's frames.

A snapshot is drawn as it is stored (Grafana's own store the transformed frames too), so without these its tables fall
apart and its lines have no unit and no colour.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Mapping, Sequence
from typing import Any

Frame = dict[str, Any]
Field = dict[str, Any]
Panel = Mapping[str, Any]

_KNOWN = ("merge", "organize")


def transformable(panel: Panel) -> bool:
    """Whether all of the panel's transformations are known here; else its frames stay as they are."""
    return all(step["id"] in _KNOWN for step in panel.get("transformations") or [])


def transformed(panel: Panel, frames: Sequence[Frame]) -> list[Frame]:
    """The frames after the panel's transformations."""
    made = list(frames)
    for step in panel.get("transformations") or []:
        if step["id"] == "merge":
            made = [_merge(made)] if made else []
        else:
            made = [_organize(frame, step.get("options") or {}) for frame in made]
    return made


def configured(panel: Panel, frames: Sequence[Frame]) -> list[Frame]:
    """The frames with the panel's field options: the defaults, then every override that matches the field's name."""
    options = panel.get("fieldConfig") or {}
    made = copy.deepcopy(list(frames))
    for frame in made:
        for field in frame["fields"]:
            own = field.get("config") or {}
            field["config"] = (
                {**copy.deepcopy(options.get("defaults") or {}), **own} if field["type"] == "number" else own
            )
            name = field["config"].get("displayName") or field["name"]
            for override in options.get("overrides") or []:
                if _matches(override["matcher"], name):
                    for change in override["properties"]:
                        _set(field["config"], change["id"], copy.deepcopy(change.get("value")))
    return made


def _merge(frames: Sequence[Frame]) -> Frame:
    """One table of all: rows that agree in the columns that all frames have become one row."""
    kinds: dict[str, Field] = {field["name"]: field for frame in frames for field in frame["fields"]}
    common = [name for name in kinds if all(any(f["name"] == name for f in frame["fields"]) for frame in frames)]
    rows: dict[tuple[Any, ...], dict[str, Any]] = {}
    for frame in frames:
        names = [field["name"] for field in frame["fields"]]
        for cells in zip(*(field["values"] for field in frame["fields"]), strict=True):
            row = dict(zip(names, cells, strict=True))
            rows.setdefault(tuple(row[name] for name in common), {}).update(row)
    fields = [{**kinds[name], "values": [row.get(name) for row in rows.values()]} for name in kinds]
    return {"refId": frames[0]["refId"], "fields": fields}


def _organize(frame: Frame, options: Mapping[str, Any]) -> Frame:
    excluded, order = options.get("excludeByName") or {}, options.get("indexByName") or {}
    names = options.get("renameByName") or {}
    kept = [field for field in frame["fields"] if not excluded.get(field["name"])]
    kept.sort(key=lambda field: order.get(field["name"], len(order)))
    return {**frame, "fields": [{**field, "name": names.get(field["name"]) or field["name"]} for field in kept]}


def _matches(matcher: Mapping[str, Any], name: str) -> bool:
    match matcher["id"]:
        case "byName":
            return bool(matcher["options"] == name)
        case "byRegexp":
            return re.search(str(matcher["options"]).strip("/"), name) is not None
    return False


def _set(config: dict[str, Any], path: str, value: Any) -> None:
    """`custom.width` is a key of a dictionary within."""
    *outer, last = path.split(".")
    for key in outer:
        config = config.setdefault(key, {})
    config[last] = value
