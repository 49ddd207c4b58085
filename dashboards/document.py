"""What every dashboard is: its address, its place among the others, and the file it is written to."""

from __future__ import annotations

import json
from typing import Any

from grafana_foundation_sdk.builders.dashboard import Dashboard, DashboardLink, TimePicker
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import DashboardCursorSync, DashboardLinkType

from dashboards import marks

# Name to title. The names are the files', and after "ipclab-" the addresses.
TITLES = {
    "start": "Start here",
    "hosts": "One host, many hosts",
    "speed": "Speed and its price",
    "kernel": "What the kernel holds",
    "mechanism": "Mechanism",
    "faults": "Faults and exercises",
}

# Newer ones look at a panel's options alone; an older one would take the buckets for values.
_HEATMAP_BEFORE_GRAFANA_9 = {
    "dataFormat": "tsbuckets",
    "yBucketBound": "upper",
    "hideZeroBuckets": True,
    "color": {"mode": "spectrum", "colorScheme": "interpolateViridis"},
    "xAxis": {"show": True},
    "yAxis": {"show": True, "format": "s", "decimals": 0},
    "tooltip": {"show": True},
}


def uid(name: str) -> str:
    """What Grafana finds the dashboard by."""
    return f"ipclab-{name}"


def path(name: str, query: str = "") -> str:
    """The dashboard's address within Grafana, wherever Grafana is."""
    return f"/d/{uid(name)}{query}"


def new_dashboard(name: str, description: str) -> Dashboard:
    """A dashboard that shows the last five minutes and follows them, with what `./lab` noted in Grafana."""
    return (
        Dashboard(TITLES[name])
        .uid(uid(name))
        .description(description)
        .tags([marks.TAG])
        .readonly()
        .time("now-5m", "now")
        .refresh("5s")
        .timepicker(TimePicker().refresh_intervals(["1s", "2s", "5s", "10s", "30s", "1m"]))
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .link(_others())
        .annotation(marks.noted().hide(True))
    )


def to_json(dashboard: Dashboard) -> str:
    """The file that Grafana reads; panels are numbered in the order they were added."""
    document: dict[str, Any] = json.loads(json.dumps(dashboard.build(), cls=JSONEncoder))
    for number, panel in enumerate(document["panels"], start=1):
        panel["id"] = number
        if panel["type"] == "heatmap":
            panel.update(_HEATMAP_BEFORE_GRAFANA_9)
        if panel["type"] == "state-timeline":
            panel["options"]["perPage"] = 0  # all, without buttons to turn pages; the SDK takes no less than 1
    return json.dumps(document, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _others() -> DashboardLink:
    return (
        DashboardLink("Dashboards")
        .type(DashboardLinkType.DASHBOARDS)
        .tags([marks.TAG])
        .as_dropdown(True)  # as buttons they take a second row of the screen
        .keep_time(True)
    )
