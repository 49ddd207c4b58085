"""`./lab open`: a dashboard in the browser, or its address where there is no display."""

from __future__ import annotations

import os
import sys
import webbrowser

from labctl.config.configuration import GRAFANA_URL
from labctl.grafana import client, dashboards
from labctl.grafana.client import Grafana, GrafanaSilent
from labctl.lab.lab import Lab
from labctl.terminal.errors import LabError
from labctl.terminal.printing import show_lines


def open_dashboard(lab: Lab, name: str | None) -> None:
    """Open the dashboard, Grafana's home without a name; print its address.

    :raises LabError: Grafana does not answer; what is there instead is named
    """
    grafana = Grafana(client.address(lab.configuration))
    if not grafana.answers():
        raise _absent(lab, grafana)
    shipped = {dashboard.name: dashboard for dashboard in dashboards.shipped()}
    address = f"{grafana.url}/d/{shipped[name].uid}" if name else f"{grafana.url}/"
    if has_display() and webbrowser.open(address):
        show_lines([f"opened {address}"])
    else:
        show_lines([address])


def has_display() -> bool:
    """Whether a browser would have a screen; without one, Python might start a browser in the terminal."""
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _absent(lab: Lab, grafana: Grafana) -> LabError:
    prometheus = lab.prometheus
    wanted = lab.configuration.values["GRAFANA_IMAGE"] or lab.configuration.values[GRAFANA_URL]
    why = f"Grafana does not answer at {grafana.url}" if wanted else "this lab has no Grafana: GRAFANA_IMAGE is empty"
    if prometheus.answers():
        return GrafanaSilent(f"{why}; Prometheus is there: {prometheus.url}", hint="./lab watch shows the figures")
    return GrafanaSilent(f"{why}, nor does Prometheus at {prometheus.url}", hint="./lab up starts both")
