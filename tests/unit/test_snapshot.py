"""A snapshot's data frames: what Grafana's panels draw without asking anybody."""

from __future__ import annotations

import json
from typing import Any

import pytest

from labctl import snapshot, snapshot_fields
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


def test_a_heatmap_gets_what_is_in_each_bucket_alone() -> None:
    series = [
        {"metric": {"le": le}, "values": [[1, low], [2, high]]}
        for le, low, high in (("+Inf", "7", "9"), ("0.002", "5", "5"), ("1e-05", "1", "0"))
    ]
    made = snapshot.frames(Answer({"refId": "A", "format": "heatmap", "legendFormat": "{{le}}"}, series))
    assert [(frame["name"], fields(frame)["Value"]) for frame in made] == [
        ("1e-05", [1.0, 0.0]),
        ("0.002", [4.0, 5.0]),
        ("+Inf", [2.0, 4.0]),
    ]


def test_what_has_no_data_has_no_frame() -> None:
    assert snapshot.frames(Answer({"refId": "A", "format": "table"}, [])) == []
    assert snapshot.frames(Answer({"refId": "A"}, [])) == []


def table(ref_id: str, label: str, cells: dict[str, float]) -> dict[str, Any]:
    series = [{"metric": {"mechanism": name, label: f"{label} {name}"}, "value": [1, v]} for name, v in cells.items()]
    (frame,) = snapshot.frames(Answer({"refId": ref_id, "format": "table"}, series))
    return frame


def test_the_queries_of_a_table_become_one_row_each() -> None:
    panel = {
        "transformations": [
            {"id": "merge", "options": {}},
            {
                "id": "organize",
                "options": {
                    "excludeByName": {"Time": True, "Value #B": True},
                    "indexByName": {"mechanism": 0, "b": 1, "Value #A": 2},
                    "renameByName": {"mechanism": "Mechanism", "Value #A": "Received", "b": "Place"},
                },
            },
        ]
    }
    assert snapshot_fields.transformable(panel)
    frames = [table("A", "a", {"fifo": 1, "tcp": 2}), table("B", "b", {"tcp": 4, "fifo": 3})]
    (made,) = snapshot_fields.transformed(panel, frames)
    assert fields(made) == {
        "Mechanism": ["fifo", "tcp"],
        "Place": ["b fifo", "b tcp"],
        "Received": [1.0, 2.0],
        "a": ["a fifo", "a tcp"],
    }
    assert snapshot_fields.transformed(panel, []) == []


def test_a_transformation_that_is_not_known_here_is_left_to_grafana() -> None:
    assert not snapshot_fields.transformable({"transformations": [{"id": "groupBy"}]})
    assert snapshot_fields.transformable({})


@pytest.mark.parametrize(
    ("matcher", "hit"),
    [
        ({"id": "byName", "options": "fifo sent"}, True),
        ({"id": "byName", "options": "fifo"}, False),
        ({"id": "byRegexp", "options": "/^fifo( .*)?$/"}, True),
        ({"id": "byRegexp", "options": "/^tcp( .*)?$/"}, False),
        ({"id": "byType", "options": "number"}, False),
    ],
)
def test_overrides_meet_the_fields_that_they_name(matcher: dict[str, str], hit: bool) -> None:
    change = {"id": "custom.lineStyle", "value": {"fill": "dash"}}
    panel = {
        "fieldConfig": {
            "defaults": {"unit": "s", "custom": {"lineWidth": 2}},
            "overrides": [{"matcher": matcher, "properties": [change]}],
        }
    }
    target = {"refId": "A", "legendFormat": "{{mechanism}} sent"}
    frames = snapshot.frames(Answer(target, [{"metric": FIFO, "values": [[1, "2"]]}]))
    ((time, value),) = (frame["fields"] for frame in snapshot_fields.configured(panel, frames))
    assert time["config"] == {}
    assert value["config"]["unit"] == "s"
    assert value["config"]["displayName"] == "fifo sent"
    custom = {"lineWidth": 2, "lineStyle": {"fill": "dash"}} if hit else {"lineWidth": 2}
    assert value["config"]["custom"] == custom
    assert frames[0]["fields"][1]["config"] == {"displayName": "fifo sent"}, "what was given is as it was"
    assert panel["fieldConfig"]["defaults"] == {"unit": "s", "custom": {"lineWidth": 2}}
