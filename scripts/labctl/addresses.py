"""What to open in a browser, or why it is not there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from labctl import grafana
from labctl.configuration import Configuration
from labctl.containers import Container
from labctl.diagnosis import last_lines
from labctl.errors import LabError
from labctl.progress import say, step
from labctl.waiting import wait_until

_GRAFANA_WITHIN_S = 60  # its first start makes a database


def lines(configuration: Configuration, containers: Sequence[Container]) -> list[str]:
    """One line per address."""
    return [
        f"Prometheus  http://127.0.0.1:{configuration.values['LAB_PROMETHEUS_PORT']}",
        f"Grafana     {_grafana(configuration, containers)}",
    ]


def require_grafana(configuration: Configuration, containers: Callable[[], Sequence[Container]]) -> None:
    """Wait until Grafana answers, if it is part of this lab.

    :raises LabError: it ended, or does not answer in time
    """
    port = configuration.number("LAB_GRAFANA_PORT")

    def decided() -> bool:
        container = _container(containers())
        return container is None or container.state in ("exited", "restarting", "dead") or grafana.answers(port)

    with step("Waiting for Grafana") as current:
        current.detail(f"http://127.0.0.1:{port}")
        wait_until(decided, _GRAFANA_WITHIN_S)
        container = _container(containers())
        if container is not None and not grafana.answers(port):
            for line in last_lines(container):
                say(f"  | {line}")
            raise LabError(
                f"Grafana does not answer at http://127.0.0.1:{port} (its container is {container.describe()})",
                hint=f"docker logs {container.id}; the pairs run",
            )


def _container(containers: Sequence[Container]) -> Container | None:
    return next((container for container in containers if container.service == "grafana"), None)


def _grafana(configuration: Configuration, containers: Sequence[Container]) -> str:
    container = _container(containers)
    if container is None:
        image = configuration.values["GRAFANA_IMAGE"]
        if not image:
            return "not wanted: GRAFANA_IMAGE is empty"
        return f"not here: no image {image}; `docker load` it or set GRAFANA_IMAGE=…, then ./lab up"
    port = configuration.number("LAB_GRAFANA_PORT")
    if grafana.answers(port):
        return f"http://127.0.0.1:{port}"
    return f"does not answer on port {port}: its container is {container.describe()}; docker logs {container.id}"
