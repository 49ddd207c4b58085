"""The addresses of the page, Prometheus and Grafana, or the reason why one is missing."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from labctl.config.configuration import GRAFANA_URL, Configuration
from labctl.config.paths import LOCALHOST
from labctl.grafana import client
from labctl.grafana.client import Grafana
from labctl.lab.containers import Container
from labctl.lab.diagnosis import last_lines
from labctl.lab.page import Page
from labctl.terminal.errors import LabError
from labctl.terminal.progress import say, step
from labctl.terminal.waiting import wait_until

_ONE_LINE = 80  # columns
_PAGE_WITHIN_S = 60  # an interpreter and its libraries; longer on a busy machine
_GRAFANA_WITHIN_S = 60  # its first start makes a database


def lines(configuration: Configuration, containers: Sequence[Container]) -> list[str]:
    """The addresses: the page's, then Prometheus' and Grafana's, in one line where both fit into 80 columns."""
    page = f"Page        {_page(configuration, containers)}"
    prometheus = f"http://127.0.0.1:{configuration.values['LAB_PROMETHEUS_PORT']}"
    one = f"Prometheus {prometheus}   Grafana {(grafana := _grafana(configuration, containers))}"
    both = [one] if len(one) <= _ONE_LINE else [f"Prometheus  {prometheus}", f"Grafana     {grafana}"]
    return [page, *both]


def require_page(configuration: Configuration, containers: Callable[[], Sequence[Container]]) -> None:
    """Wait until the page answers.

    :raises LabError: it ended, or does not answer in time
    """
    page = Page(configuration.number("LAB_PAGE_PORT"))

    def decided() -> bool:
        container = _container(containers(), Page.SERVICE)
        return container is None or container.state in ("exited", "dead") or page.answers()

    with step("Waiting for the page") as current:
        current.detail(page.url)
        wait_until(decided, _PAGE_WITHIN_S)
        container = _container(containers(), Page.SERVICE)
        if container is not None and not page.answers():
            for line in last_lines(container):
                say(f"  | {line}")
            raise LabError(
                f"the page does not answer at {page.url} (its container is {container.describe()})",
                hint=f"docker logs {container.id}; the pairs run",
            )


def require_grafana(configuration: Configuration, containers: Callable[[], Sequence[Container]]) -> None:
    """Wait until Grafana answers, if it is part of this lab.

    :raises LabError: it ended, or does not answer in time
    """
    url = f"http://{LOCALHOST}:{configuration.values['LAB_GRAFANA_PORT']}"
    grafana = Grafana(url)

    def decided() -> bool:
        container = _container(containers())
        return container is None or container.state in ("exited", "restarting", "dead") or grafana.answers()

    with step("Waiting for Grafana") as current:
        current.detail(url)
        wait_until(decided, _GRAFANA_WITHIN_S)
        container = _container(containers())
        if container is not None and not grafana.answers():
            for line in last_lines(container):
                say(f"  | {line}")
            raise LabError(
                f"Grafana does not answer at {url} (its container is {container.describe()})",
                hint=f"docker logs {container.id}; the pairs run",
            )


def _container(containers: Sequence[Container], service: str = "grafana") -> Container | None:
    return next((container for container in containers if container.service == service), None)


def _page(configuration: Configuration, containers: Sequence[Container]) -> str:
    page = Page(configuration.number("LAB_PAGE_PORT"))
    container = _container(containers, Page.SERVICE)
    if container is None:
        return "not started (hint: ./lab up starts it)"
    if page.answers():
        return page.url
    return f"does not answer at {page.url}: its container is {container.describe()}; docker logs {container.id}"


def _grafana(configuration: Configuration, containers: Sequence[Container]) -> str:
    url = client.address(configuration)
    container = _container(containers)
    elsewhere = bool(configuration.values[GRAFANA_URL])
    if container is None and not elsewhere:
        image = configuration.values["GRAFANA_IMAGE"]
        if not image:
            return "disabled (GRAFANA_IMAGE is empty)"
        return "image missing (hint: ./lab doctor)"
    if Grafana(url).answers():
        return url
    if container is None or elsewhere:
        return f"does not answer at {url} (the address of LAB_GRAFANA_URL)"
    return f"does not answer at {url}: its container is {container.describe()}; docker logs {container.id}"
