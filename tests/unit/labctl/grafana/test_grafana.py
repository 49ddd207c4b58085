"""Grafana's client against a server that answers as Grafana does: who asks, what is sent, what is said of a failure."""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from labctl.commands import addresses
from labctl.config.configuration import Configuration
from labctl.grafana import annotation, client, panels
from labctl.grafana.client import Grafana, GrafanaSilent
from labctl.lab.ports import free_port
from labctl.terminal.errors import LabError
from support.json_server import Request, json_server, success

ROOT = Path(__file__).resolve().parents[4]
PASSWORD = "secret/of+the=lab"
PANEL = {"title": "Rate", "targets": [{"expr": "rate(a{m='$mechanism'}[$__rate_interval])", "range": True}]}
TABLE = {"title": "Now", "targets": [{"expr": "a", "instant": True, "range": False}]}
DASHBOARD = {
    "uid": "one",
    "title": "One",
    "panels": [{"title": "Words"}, PANEL, {"type": "row", "title": "Row", "panels": [TABLE]}],
    "templating": {"list": [{"name": "mechanism", "type": "query", "query": "label_values(a, mechanism)"}]},
}


@dataclass
class Server:
    """What was asked of it, and what its Prometheus knows."""

    url: str = ""
    posted: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    queries: list[str] = field(default_factory=list)
    series: list[dict[str, Any]] = field(default_factory=list)
    silent: bool = False  # Prometheus, behind it


@contextmanager
def grafana_server(data_source: str = "/api/datasources/proxy/uid/prometheus") -> Iterator[Server]:
    """A viewer reads; only admin with the password writes; a wrong password is refused even for reading."""
    state = Server()
    right = f"Basic {base64.b64encode(f'admin:{PASSWORD}'.encode()).decode()}"

    def answer(request: Request) -> tuple[int, Any]:
        who = request.headers.get("Authorization")
        if who not in (None, right):
            return 401, {"message": "invalid username or password"}
        if request.body is not None:
            if who is None:
                return 403, {"message": "Access denied"}
            state.posted.append((request.path, request.body))
            return 200, {"id": 1, "key": "abc"}
        if request.path.startswith(f"{data_source}/api/v1/query"):
            state.queries.append(request.query["query"])
            if state.silent:
                return 502, {"message": "Bad Gateway"}
            return success(state.series)
        answers: dict[str, Any] = {
            "/api/health": {"database": "ok"},
            "/api/search": [{"uid": "one", "title": "One"}],
            "/api/dashboards/uid/one": {"dashboard": DASHBOARD},
            "/api/frontend/settings": {
                "defaultDatasource": "P",
                "datasources": {"P": {"name": "P", "url": data_source}},
            },
        }
        if request.path not in answers:
            return 404, {"message": "not found"}
        return 200, answers[request.path]

    with json_server(answer) as port:
        state.url = f"http://127.0.0.1:{port}"
        yield state


def configuration(url: str = "", image: str = "grafana/grafana:12") -> Configuration:
    return Configuration(
        "lab", {"LAB_GRAFANA_URL": url, "GRAFANA_IMAGE": image, "LAB_GRAFANA_PORT": "3000", "LAB_PAGE_PORT": "8080"}
    )


def with_password(url: str, password: str = PASSWORD) -> str:
    return url.replace("http://", f"http://admin:{quote(password, safe='')}@")


def test_an_annotation_has_its_tags_and_its_moment(capsys: pytest.CaptureFixture[str]) -> None:
    with grafana_server() as server:
        annotation.note(configuration(with_password(server.url)), [], "load", ["fifo"], "load of fifo: 5", at_s=1.5)
    ((path, body),) = server.posted
    assert path == "/api/annotations"
    assert body["tags"] == ["ipclab", "load", "fifo"]
    assert (body["time"], body["text"], body["dashboardId"]) == (1500, "load of fifo: 5", None)
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("password", "says"), [("wrong", "refuses the password of admin"), (None, "does not write an annotation")]
)
def test_what_cannot_be_annotated_is_said_in_one_line(
    password: str | None, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with grafana_server() as server:
        url = server.url if password is None else with_password(server.url, password)
        annotation.note(configuration(url), [], "load", ["fifo"], "text")
    assert server.posted == []
    (line,) = capsys.readouterr().err.splitlines()
    assert "no annotation" in line
    assert says in line
    assert "wrong" not in line, "a password must not be shown"


def test_a_grafana_that_does_not_answer_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    annotation.note(configuration(f"http://127.0.0.1:{free_port()}"), [], "load", ["fifo"], "text")
    (line,) = capsys.readouterr().err.splitlines()
    assert "nothing listens there" in line


def test_a_lab_without_grafana_says_so_where_addresses_are_and_not_after_each_command(
    capsys: pytest.CaptureFixture[str],
) -> None:
    without = Configuration("lab", {**configuration().values, "LAB_PROMETHEUS_PORT": "9090"})
    assert annotation.note(without, [], "load", ["fifo"], "text") is False
    assert capsys.readouterr().err == ""
    assert "Grafana image missing (hint: ./lab doctor)" in " ".join(addresses.lines(without, []))


def test_nothing_is_said_where_there_is_none_by_choice(capsys: pytest.CaptureFixture[str]) -> None:
    assert client.find(configuration(image=""), []) is None
    annotation.note(configuration(image=""), [], "load", ["fifo"], "text")
    assert capsys.readouterr().err == ""


def test_the_container_makes_a_password_once(tmp_path: Path) -> None:
    script = (ROOT / "services/grafana/with-password.sh").read_text()
    start = tmp_path / "run.sh"
    start.write_text('#!/bin/sh\necho "started $@"\n')
    start.chmod(0o755)
    here = script.replace(client.SECRETS, str(tmp_path / "lab")).replace("/run.sh", str(start))
    made = tmp_path / "lab" / client.PASSWORD
    seen = []
    for _ in range(2):
        done = subprocess.run(["sh", "-c", here, "sh", "--x"], capture_output=True, text=True, check=True)
        assert (done.stdout, done.stderr) == ("started --x\n", "")
        seen.append(made.read_text())
    assert seen[0] == seen[1]
    assert len(base64.b64decode(seen[0], validate=True)) == 32
    assert made.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in made.parent.iterdir()] == [made.name]


def test_what_is_no_grafana_is_silent() -> None:
    grafana = Grafana(f"http://127.0.0.1:{free_port()}")
    assert not grafana.answers()
    with pytest.raises(GrafanaSilent, match="nothing listens there"):
        grafana.dashboards()


def test_the_address_that_is_shown_has_no_password() -> None:
    assert client.address(configuration("http://a:b@host:1/sub/")) == "http://host:1/sub"
    assert client.address(configuration()) == "http://127.0.0.1:3000"


@pytest.mark.parametrize("data_source", ["/api/datasources/proxy/1", "/api/datasources/proxy/uid/prometheus"])
def test_panels_are_asked_through_the_default_data_source(data_source: str) -> None:
    with grafana_server(data_source) as server:
        grafana = Grafana(server.url)
        assert panels.missing(grafana, {"one": "One", "two": "Two"}) == {"two": "Two"}
        assert panels.empty_panels(grafana, "one") == (2, ["Rate", "Now"])
        server.series.append({"metric": {"mechanism": "fifo"}, "value": [0, "1"]})
        assert panels.empty_panels(grafana, "one") == (2, [])
    assert server.queries[-2:] == ["rate(a{m='fifo'}[4s])", "a"]


def test_a_data_source_that_does_not_answer_is_said_once() -> None:
    with grafana_server() as server:
        panels.require_data(Grafana(server.url))
        assert server.queries == ["vector(1)"]
        server.silent = True
        with pytest.raises(LabError, match=r"Prometheus does not answer Grafana: .* cannot answer: .*502"):
            panels.require_data(Grafana(server.url))


def test_a_dashboard_that_is_not_there_is_named() -> None:
    with grafana_server() as server, pytest.raises(LabError, match="read the dashboard two for a viewer: 404"):
        Grafana(server.url).dashboard("two")


@pytest.mark.parametrize(
    ("text", "becomes"),
    [
        ("a{m='$m'}", "a{m='fifo'}"),
        ("a{m=~'${m:regex}'}[$__rate_interval]", "a{m=~'fifo'}[4s]"),
        ('label_replace(a, "x", "$1", "y", "(.*)")', 'label_replace(a, "x", "$1", "y", "(.*)")'),
        ("a{m='${m:text}'}", "a{m='FIFO'}"),
        ("$unknown", "$unknown"),
    ],
)
def test_variables_are_put_in(text: str, becomes: str) -> None:
    assert panels.interpolate(text, {"m": "fifo", "m:text": "FIFO"}) == becomes


def test_a_variable_that_means_all_matches_all() -> None:
    variables = [
        {"name": "a", "current": {"value": "$__all"}},
        {"name": "b", "current": {"value": ["x", "y"]}},
        {"name": "c", "current": {"value": ["$__all"]}, "allValue": "z.*"},
        {"name": "d", "current": {"value": "1", "text": "one"}},
    ]
    dashboard = {"templating": {"list": variables}}
    values = {"a": ".*", "b": "x|y", "c": "z.*", "d": "1", "d:text": "one"}
    assert panels.variables(Grafana("http://127.0.0.1:1"), dashboard) == values
