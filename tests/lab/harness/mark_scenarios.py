"""What happened to endpoints, as Prometheus would have scraped it, and which marks it has to leave: for promtool."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass

from dashboards.__main__ import JSON

_LENGTH_S = 20


@dataclass(frozen=True)
class Scenario:
    """Series in promtool's notation, one value a second, and how many marks of each name they leave."""

    is_open: str
    opens: str
    cpu: str
    opened: int = 0
    closed: int = 0


_STEADY = "1+0.1x19"
# "stale" is a scrape without an answer.
SCENARIOS = {
    "nothing": Scenario("1x19", "3x19", _STEADY),
    "one_timeout": Scenario("1x9 stale 1x9", "3x9 stale 3x9", "1+0.1x9 stale 2.1+0.1x9"),
    "two_timeouts": Scenario("1x8 stale stale 1x9", "3x8 stale stale 3x9", "1+0.1x8 stale stale 2.1+0.1x9"),
    "stopped": Scenario("1x9 stale", "3x9 stale", "1+0.1x9 stale", closed=1),
    "opened_again_between_two_scrapes": Scenario("1x19", "3x9 4x9", _STEADY, opened=1),
    "lost_its_peer": Scenario("1x5 0x5 1x7", "3x11 4x7", _STEADY, opened=1, closed=1),
    "restarted_between_two_scrapes": Scenario("1x19", "3x9 1x9", "1+0.1x9 0.2+0.1x9", opened=1),
    "restarted_and_missed_once": Scenario("1x9 stale 1x8", "1x9 stale 1x8", "1+0.1x9 stale 0+0.1x8", opened=1),
    "restarted_closed_at_first": Scenario(
        "1x9 stale 0 1x7", "1x9 stale 0 1x7", "1+0.1x9 stale 0.1 0.2+0.1x7", opened=1, closed=1
    ),
    "away_for_long": Scenario(
        "1x4 stale _x8 1x5", "1x4 stale _x8 1x5", "1+0.1x4 stale _x8 0.2+0.1x5", opened=1, closed=1
    ),
}


def promtool_test() -> str:
    """A file for `promtool test rules`, JSON as YAML allows, that asks the expressions of the committed dashboards."""
    listed = json.loads((JSON / "faults.json").read_text())["annotations"]["list"]
    marks = {mark["name"]: mark["expr"] for mark in listed if "expr" in mark}
    series = [
        {"series": _series(metric, name, more), "values": values}
        for name, it in SCENARIOS.items()
        for metric, more, values in (
            ("ipc_channel_open", "", it.is_open),
            ("ipc_channel_opens_total", "", it.opens),
            ("ipc_cpu_seconds_total", ',mode="user"', it.cpu),
        )
    ]
    asked = [
        _expected(marks["Opened"], {name: it.opened for name, it in SCENARIOS.items()}),
        _expected(marks["Closed"], {name: it.closed for name, it in SCENARIOS.items()}),
    ]
    return json.dumps(
        {
            "rule_files": [],
            "evaluation_interval": "1s",
            "tests": [{"interval": "1s", "input_series": series, "promql_expr_test": asked}],
        }
    )


def _series(metric: str, name: str, more: str) -> str:
    return f'{metric}{{mechanism="{name}",role="consumer",instance="{name}:9464"{more}}}'


def _expected(expr: str, marks: Mapping[str, int]) -> dict[str, object]:
    """Marks are counted from the second scrape: at the first, all endpoints are new."""
    return {
        "expr": f"count_over_time(({expr})[{_LENGTH_S - 3}s:1s])",
        "eval_time": f"{_LENGTH_S - 1}s",
        "exp_samples": [
            {"labels": f'{{mechanism="{name}",role="consumer"}}', "value": count}
            for name, count in marks.items()
            if count
        ],
    }
