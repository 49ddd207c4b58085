"""A snapshot's data frames: what Grafana's panels draw without asking anybody."""

from __future__ import annotations

import json
from typing import Any

from labctl import snapshot
from labctl.grafana_panels import Answer

FIFO = {"mechanism": "fifo", "role": "producer"}


def fields(frame: dict[str, Any]) -> dict[str, list[Any]]:
    return {field["name"]: field["values"] for field in frame["fields"]}


def test_a_line_is_a_frame_with_its_legend() -> None:
    target = {"refId": "B", "legendFormat": "{{mechanism}} {{ role }} sent", "range": True}
    (frame,) = snapshot.frames(Answer(target, [{"metric": FIFO, "values": [[1.5, "2"], [2.5, "NaN"], [3.5, "+Inf"]]}]))
    assert (frame["refId"], frame["name"]) == ("B", "fifo producer sent")
    assert fields(frame) == {"Time": [1500.0, 2500.0, 3500.0], "Value": [2.0, None, None]}
    assert frame["fields"][1]["labels"] == FIFO
    assert frame["fields"][1]["config"] == {"displayName": "fifo producer sent"}
    json.dumps(frame, allow_nan=False)


def test_a_table_is_one_frame_with_a_column_per_label() -> None:
    series = [{"metric": {"mechanism": "fifo"}, "value": [1, "2"]}, {"metric": {"ipc": "7"}, "value": [1, "3"]}]
    (frame,) = snapshot.frames(Answer({"refId": "C", "format": "table"}, series))
    assert fields(frame) == {
        "Time": [1000, 1000],
        "ipc": ["", "7"],
        "mechanism": ["fifo", ""],
        "Value #C": [2.0, 3.0],
    }


def test_what_has_no_data_has_no_frame() -> None:
    assert snapshot.frames(Answer({"refId": "A", "format": "table"}, [])) == []
    assert snapshot.frames(Answer({"refId": "A"}, [])) == []
