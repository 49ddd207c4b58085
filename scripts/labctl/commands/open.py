"""`./lab open`: a dashboard or the page in the browser, or its address where there is no display."""

from __future__ import annotations

import os
import sys
import webbrowser

from labctl.config.configuration import GRAFANA_URL
from labctl.grafana import client, dashboards
from labctl.grafana.client import Grafana, GrafanaSilent
from labctl.grafana.dashboards import PAGE
from labctl.lab.lab import Lab
from labctl.lab.page import Page
from labctl.terminal.errors import LabError
from labctl.terminal.printing import show_lines


def open_dashboard(lab: Lab, name: str | None) -> None:
    """Open the dashboard, Grafana's home without a name, or the page where there is no Grafana; print its address.

    :raises LabError: neither answers; what is there instead is named
    """
    grafana = Grafana(client.address(lab.configuration))
    page = Page(lab.configuration.number("LAB_PAGE_PORT"))
    if name != PAGE and grafana.answers():
        shipped = {dashboard.name: dashboard for dashboard in dashboards.shipped()}
        address = f"{grafana.url}/d/{shipped[name].uid}" if name else f"{grafana.url}/"
    elif page.answers():
        address = f"{page.url}/"
    else:
        raise _absent(lab, grafana, page)
    if has_display() and _opens(address):
        show_lines([f"opened {address}"])
    else:
        show_lines([address])


def _opens(address: str) -> bool:
    """Whether a browser took it. The pipe to one that is missing breaks, which is no end of our own output."""
    try:
        return webbrowser.open(address)
    except (OSError, webbrowser.Error):
        return False


def has_display() -> bool:
    """Whether a browser would have a screen; without one, Python might start a browser in the terminal."""
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))


def _absent(lab: Lab, grafana: Grafana, page: Page) -> LabError:
    prometheus = lab.prometheus
    wanted = lab.configuration.values["GRAFANA_IMAGE"] or lab.configuration.values[GRAFANA_URL]
    without = (
        f"Grafana does not answer at {grafana.url}" if wanted else "this lab has no Grafana: GRAFANA_IMAGE is empty"
    )
    why = f"{without}, nor does the page at {page.url}"
    if prometheus.answers():
        return GrafanaSilent(f"{why}; Prometheus is there: {prometheus.url}", hint="./lab watch shows the figures")
    return GrafanaSilent(f"{why}, nor does Prometheus at {prometheus.url}", hint="./lab up starts both")
