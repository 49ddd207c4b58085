"""What other programs answer: Prometheus, or whatever else listens at its port; the agent of a bench; a worker.

An answer of another form is an answer that did not come, and the reason is one line.
"""

from __future__ import annotations

import asyncio
import json
import queue
from collections.abc import Callable
from typing import Any, cast

import httpx
import requests
from hypothesis import strategies as st

from ipclab.speedup.messages import KINDS, MESSAGE_BYTES, NotAMessage, Result, Task, decode, encode
from labctl.experiments.bench.link import Link
from labctl.grafana.client import Grafana
from labctl.lab.prometheus import Prometheus, PrometheusSilent
from labctl.terminal.errors import LabError
from labpage import prometheus as of_page
from support.garbage import DEEP, Garbage, damaged_json, noise

_LABELS = {"mechanism": "fifo", "role": "producer"}
INSTANT = {"status": "success", "data": {"result": [{"metric": _LABELS, "value": [1.5, "200"]}]}}
RANGE = {"status": "success", "data": {"result": [{"metric": _LABELS, "values": [[1.5, "200"], [2.5, "NaN"]]}]}}
OTHERS = (
    {"status": "error", "error": "invalid expression"},
    {"status": "success", "data": {"version": "3.5.0"}},
    {"status": "success", "data": {"result": [1.5, "2.5"]}},
)
answers = st.one_of(damaged_json(INSTANT, RANGE, *OTHERS), noise(json.dumps(INSTANT).encode()))


class Answers:
    """A session to a server that answers the same to everything."""

    def __init__(self) -> None:
        self.content = b""

    def get(self, *_: object, **__: object) -> requests.Response:
        response = requests.Response()
        response.status_code, response._content = 200, self.content
        return response

    post = get


def _refusal(ask: Callable[[], object], error: type[Exception]) -> str:
    """What is said of it, "" where it is answered."""
    try:
        ask()
    except error as refusal:
        return str(refusal)
    return ""


def test_whatever_listens_at_the_port_of_prometheus_answers_or_is_silent(garbage: Garbage) -> None:
    prometheus, session = Prometheus(9090), Answers()
    prometheus._session = cast(requests.Session, session)
    asked: tuple[Callable[[], object], ...] = (
        lambda: [sample.value + 0.5 for sample in prometheus.query("x")],
        lambda: [sum(line.times + line.values) for line in prometheus.query_samples("x[5s]")],
        lambda: [" ".join(line.labels.values()) for line in prometheus.query_range("x", 0.0, 9.0, 1.0)],
        prometheus.version,
        prometheus.now,
        prometheus.answers,
    )

    def reader(content: bytes) -> None:
        session.content = content
        for ask in asked:
            assert len(_refusal(ask, PrometheusSilent).splitlines()) <= 1

    reader(DEEP)
    garbage(answers, reader)


def test_whatever_the_page_takes_for_prometheus_answers_or_is_silent(garbage: Garbage) -> None:
    content = b""
    prometheus = of_page.Prometheus("http://127.0.0.1:9090")

    async def ask_all() -> None:
        for ask in (prometheus.query("x", 0.0), prometheus.query_range("x", 60.0, 1.0, 0.0)):
            reason = ""
            try:
                for found in await ask:
                    " ".join(found.labels.values())
            except of_page.PrometheusSilent as error:
                reason = str(error)
            assert len(reason.splitlines()) <= 1

    def reader(given: bytes) -> None:
        nonlocal content
        content = given
        loop.run(ask_all())

    with asyncio.Runner() as loop:
        loop.run(prometheus.close())
        transport = httpx.MockTransport(lambda _: httpx.Response(200, content=content))
        prometheus._client = httpx.AsyncClient(transport=transport, base_url=prometheus.url)
        reader(DEEP)
        garbage(answers, reader)
        loop.run(prometheus.close())


GRAFANA = (
    [{"uid": "lab", "title": "IPC Lab"}],
    {"dashboard": {"title": "IPC Lab"}},
    {"datasources": {"Prometheus": {"url": "/api/datasources/proxy/1"}}, "defaultDatasource": "Prometheus"},
    {"status": "success", "data": {"result": []}},
)


def test_whatever_answers_as_grafana_is_read_or_is_no_grafana(garbage: Garbage) -> None:
    session = Answers()
    grafana = Grafana("http://127.0.0.1:3000")
    grafana._client.api.s = session
    asked: tuple[Callable[[], object], ...] = (
        grafana.answers,
        lambda: [it.keys() for it in grafana.annotations(["ipclab"])],
        lambda: " ".join([*grafana.dashboards(), *grafana.dashboards().values()]),
        lambda: grafana.dashboard("lab").keys(),
        lambda: grafana.ask_data_source("query", query="up").keys(),
        lambda: grafana.annotate("text", ["ipclab"], 1.5),
    )

    def reader(content: bytes) -> None:
        session.content = content
        for ask in asked:
            grafana.__dict__.pop("_proxy", None)  # kept once it is known
            assert len(_refusal(ask, LabError).splitlines()) <= 1

    reader(DEEP)
    garbage(damaged_json(*GRAFANA), reader)


def test_a_line_of_the_agent_of_a_bench_is_an_event(garbage: Garbage) -> None:
    def reader(line: bytes) -> None:
        events: queue.Queue[tuple[str, dict[str, Any]]] = queue.Queue()
        Link("consumer", lambda _: None, [line, b'{"event": "ready"}\n'], events)
        found = [events.get(timeout=10)[1] for _ in range(3)]
        assert all(isinstance(event["event"], str) for event in found)
        assert [event["event"] for event in found[1:]] == ["ready", "closed"]

    reader(DEEP)
    garbage(damaged_json({"event": "exit", "code": 0, "killed": False}), reader)


def test_bytes_of_the_speedup_are_a_message_or_none(garbage: Garbage) -> None:
    sound = [bytes(encode(message)) for message in (Task(1, 2, 3, 4), Result(1, 2, 3, 4, 5, 6))]

    def reader(arrived: bytes) -> None:
        try:
            message = decode(memoryview(arrived))
        except NotAMessage:
            return
        assert type(message) in KINDS
        assert len(encode(message)) == MESSAGE_BYTES

    garbage(noise(*sound), reader)
