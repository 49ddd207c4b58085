"""Which Grafana is this lab's, and who may write to it: see docs/decisions/0020-grafana-write-access.md."""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote, urlsplit

from labctl.config.configuration import GRAFANA_URL, Configuration
from labctl.config.paths import LOCALHOST
from labctl.grafana import Grafana, GrafanaSilent
from labctl.lab import state_files
from labctl.lab.containers import Container

USER = "admin"  # services/grafana/grafana.ini
SECRETS, PASSWORD = "/var/lib/grafana/lab", "admin-password"  # services/grafana/with-password.sh


def find(configuration: Configuration, containers: Sequence[Container]) -> Grafana | None:
    """The Grafana to write to, not yet asked whether it answers; None where the lab has none by choice.

    :raises GrafanaSilent: one is expected, and it is not there
    """
    if url := configuration.values[GRAFANA_URL]:
        parts = urlsplit(url)
        return Grafana(url, unquote(parts.username or ""), unquote(parts.password or ""))
    image = configuration.values["GRAFANA_IMAGE"]
    if not image:
        return None
    container = next((container for container in containers if container.service == "grafana"), None)
    if container is None:
        raise GrafanaSilent(
            f"Grafana is not here: no image {image}",
            hint="`docker load` it, then ./lab up; GRAFANA_IMAGE= asks for none",
        )
    if not container.running:
        raise GrafanaSilent(
            f"Grafana does not answer: its container is {container.describe()}", hint=f"docker logs {container.id}"
        )
    password = state_files.read(container.docker, SECRETS).get(PASSWORD, b"").decode()
    return Grafana(address(configuration), USER if password else "", password)


def address(configuration: Configuration) -> str:
    """Where a browser finds it: without the password."""
    if url := configuration.values[GRAFANA_URL]:
        return Grafana(url).url
    return f"http://{LOCALHOST}:{configuration.values['LAB_GRAFANA_PORT']}"
