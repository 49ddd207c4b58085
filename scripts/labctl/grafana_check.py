"""Whether Grafana has every dashboard, and every panel has data: asked of Grafana itself."""

from __future__ import annotations

import time
from collections.abc import Mapping

from labctl import grafana_panels
from labctl.grafana import Grafana
from labctl.terminal.errors import LabError


def missing(grafana: Grafana, wanted: Mapping[str, str]) -> dict[str, str]:
    """Those of the wanted that Grafana has not loaded."""
    loaded = grafana.dashboards()
    return {uid: title for uid, title in wanted.items() if uid not in loaded}


def require_data(grafana: Grafana) -> None:
    """Ask Grafana's data source for what needs no data, so that its silence is said once and not of every panel.

    :raises LabError: it does not answer
    """
    try:
        grafana.ask_data_source("query", query="vector(1)", time=time.time())
    except LabError as error:
        raise LabError(
            f"Prometheus does not answer Grafana: {error.message}", hint="./lab status shows its state"
        ) from error


def empty_panels(grafana: Grafana, uid: str) -> tuple[int, list[str]]:
    """How many panels of a dashboard ask for data, and the titles of those that get none from any of their queries."""
    dashboard = grafana.dashboard(uid)
    values = grafana_panels.variables(grafana, dashboard)
    now = time.time()
    asked, empty = 0, []
    for panel in grafana_panels.panels(dashboard):
        asked += 1
        try:
            has_data = any(answer.series for answer in grafana_panels.ask(grafana, panel, values, now))
        except LabError as error:
            empty.append(f"{panel['title']} ({error.message})")
            continue
        if not has_data:
            empty.append(panel["title"])
    return asked, empty
