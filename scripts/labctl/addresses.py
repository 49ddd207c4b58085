"""What to open in a browser, or why it is not there."""

from __future__ import annotations

from collections.abc import Sequence

from labctl import grafana
from labctl.configuration import Configuration
from labctl.containers import Container
from labctl.waiting import wait_until


def lines(configuration: Configuration, containers: Sequence[Container], grafana_within_s: float = 0) -> list[str]:
    """One line per address; Grafana may take `grafana_within_s` to answer."""
    return [
        f"Prometheus  http://127.0.0.1:{configuration.values['LAB_PROMETHEUS_PORT']}",
        f"Grafana     {_grafana(configuration, containers, grafana_within_s)}",
    ]


def _grafana(configuration: Configuration, containers: Sequence[Container], within_s: float) -> str:
    container = next((c for c in containers if c.service == "grafana"), None)
    if container is None:
        image = configuration.values["GRAFANA_IMAGE"]
        if not image:
            return "not wanted: GRAFANA_IMAGE is empty"
        return f"not here: no image {image}; `docker load` it or set GRAFANA_IMAGE=…, then ./lab up"
    port = configuration.number("LAB_GRAFANA_PORT")
    if container.running and wait_until(lambda: grafana.answers(port), within_s):
        return f"http://127.0.0.1:{port}"
    return f"does not answer on port {port}: its container is {container.describe()}; docker logs {container.id}"
