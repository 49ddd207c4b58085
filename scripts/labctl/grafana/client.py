"""Grafana through its HTTP API: the Grafana of this lab, and the account that may write to it.

This is the only module that knows the client library. It was tried with Grafana 7.5 and read up to 12. See
docs/decisions/0020-grafana-write-access.md.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import quote, unquote, urlsplit

from grafana_api.grafana_api import GrafanaClientError, GrafanaException, GrafanaUnauthorizedError
from grafana_api.grafana_face import GrafanaFace
from requests import ConnectionError, RequestException, Timeout

from labctl.config.configuration import GRAFANA_URL, Configuration
from labctl.config.json_document import INVALID
from labctl.config.paths import LOCALHOST
from labctl.lab import state_files
from labctl.lab.containers import Container
from labctl.terminal.errors import LabError, Silent
from labctl.terminal.printing import one_line

_ANSWER_WITHIN_S = 5.0
_MOST_DASHBOARDS = 500

T = TypeVar("T")


class GrafanaSilent(Silent):
    """It is not there, or does not answer as a Grafana does."""


class GrafanaAbsent(GrafanaSilent):
    """The lab was started without one, because there is no image."""


class Grafana:
    """One server, asked as a user, or without one as everybody is: as a viewer.

    Every method raises GrafanaSilent when nobody answers, and LabError when Grafana refuses.
    """

    def __init__(self, url: str, user: str = "", password: str = "") -> None:
        parts = urlsplit(url)
        host = parts.hostname or LOCALHOST
        self._user = user
        self.url = f"{parts.scheme}://{host}{f':{parts.port}' if parts.port else ''}{parts.path.rstrip('/')}"
        self._client = GrafanaFace(
            auth=(user, password),
            protocol=parts.scheme,
            host=host,
            port=parts.port,
            url_path_prefix=f"{parts.path.strip('/')}/" if parts.path.strip("/") else "",
            timeout=_ANSWER_WITHIN_S,
        )
        if not user:
            self._client.api.auth = None  # an empty name would be refused as a wrong one
        if host in (LOCALHOST, "localhost"):
            self._client.api.s.trust_env = False  # a proxy is for the world, not for this machine

    def answers(self) -> bool:
        """Whether it is up, its database too."""
        try:
            health = self._ask("answer", lambda: self._client.api.GET("/health"))
        except LabError:
            return False
        return isinstance(health, dict) and health.get("database") == "ok"

    def annotate(self, text: str, tags: Sequence[str], at_s: float) -> None:
        """Write one annotation for every dashboard that shows these tags (annotations of the organization)."""
        at_ms = round(at_s * 1000)
        self._ask("write an annotation", lambda: self._add_annotation(text, tags, at_ms))

    def annotations(self, tags: Sequence[str]) -> list[dict[str, Any]]:
        """The annotations that have all of the tags, newest first."""
        quoted = [quote(tag) for tag in tags]
        return self._ask(
            "read annotations", lambda: [dict(it) for it in self._client.annotations.get_annotation(tags=quoted)]
        )

    def dashboards(self) -> dict[str, str]:
        """Title by uid of every dashboard."""

        def titles() -> dict[str, str]:
            found = self._client.search.search_dashboards(type_="dash-db", limit=_MOST_DASHBOARDS)
            return {str(entry["uid"]): str(entry["title"]) for entry in found}

        return self._ask("list the dashboards", titles)

    def dashboard(self, uid: str) -> dict[str, Any]:
        """The model of one dashboard as Grafana has it, migrated to its version."""
        return self._ask(
            f"read the dashboard {uid}", lambda: dict(self._client.dashboard.get_dashboard(uid)["dashboard"])
        )

    def ask_data_source(self, what: str, **parameters: str | float) -> dict[str, Any]:
        """An answer of Prometheus' HTTP API (`query`, `query_range`, …) through Grafana's default data source."""
        text = "&".join(f"{name}={quote(str(value), safe='')}" for name, value in parameters.items())
        answer = self._ask("answer", lambda: dict(self._client.api.GET(f"{self._proxy}/api/v1/{what}?{text}")))
        if answer.get("status") != "success":
            raise LabError(
                f"Grafana's data source does not answer: {one_line(answer.get('error', answer))}",
                hint="./lab status --containers shows whether Prometheus runs",
            )
        return self._ask("answer", lambda: dict(answer["data"]))

    def _add_annotation(self, text: str, tags: Sequence[str], at_ms: int) -> None:
        self._client.annotations.add_annotation(time_from=at_ms, tags=list(tags), text=text)

    @cached_property
    def _proxy(self) -> str:
        """The path to the default data source's own API: by id until Grafana 8, by uid since 9."""

        def path() -> str:
            settings = self._client.api.GET("/frontend/settings")
            return str(settings["datasources"][settings["defaultDatasource"]]["url"]).partition("/api")[2]

        return self._ask("answer", path)

    def _ask(self, what: str, call: Callable[[], T]) -> T:
        try:
            return call()
        except GrafanaUnauthorizedError as error:
            raise LabError(
                f"Grafana at {self.url} refuses the password of {self._user or 'nobody'}",
                hint="LAB_GRAFANA_URL=http://USER:PASSWORD@HOST:PORT; of the lab's own: ./lab down, then ./lab up",
            ) from error
        except GrafanaClientError as error:
            raise LabError(
                f"Grafana at {self.url} does not {what} for {self._user or 'a viewer'}: "
                f"{error.status_code}, {one_line(error.message)}",
                hint="the user must be an editor; dashboards are named by uid",
            ) from error
        except GrafanaException as error:
            raise LabError(
                f"Grafana at {self.url} cannot {what}: {one_line(error.message)}",
                hint="502 is a data source that does not answer; docker logs of grafana",
            ) from error
        except (RequestException, *INVALID) as error:
            raise GrafanaSilent(
                f"Grafana does not answer at {self.url}: {_reason(error)}",
                hint="./lab status --containers shows its state",
            ) from error


def _reason(error: Exception) -> str:
    match error:
        case Timeout():
            return f"no answer within {_ANSWER_WITHIN_S:.0f} s"
        case ConnectionError():
            return "nothing listens there"
        case RequestException():
            return one_line(error)
    return "what listens there does not answer as Grafana does"


USER = "admin"  # services/grafana/grafana.ini
SECRETS, PASSWORD = "/var/lib/grafana/lab", "admin-password"  # services/grafana/with-password.sh


def find(configuration: Configuration, containers: Sequence[Container]) -> Grafana | None:
    """The Grafana to write to, not yet asked whether it answers; None where the lab has none by choice.

    :raises GrafanaAbsent: one is expected, and the lab was started without: `./lab up` has said so
    :raises GrafanaSilent: it is part of the lab, and does not run
    """
    if url := configuration.values[GRAFANA_URL]:
        parts = urlsplit(url)
        return Grafana(url, unquote(parts.username or ""), unquote(parts.password or ""))
    image = configuration.values["GRAFANA_IMAGE"]
    if not image:
        return None
    container = next((container for container in containers if container.service == "grafana"), None)
    if container is None:
        raise GrafanaAbsent(
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
