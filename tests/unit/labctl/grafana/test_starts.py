"""Which starts and numbers of containers are worth an annotation."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import Mock

import pytest

from labctl.config.configuration import Configuration
from labctl.grafana import annotation
from labctl.lab.containers import Container
from labctl.lab.ports import free_port

CONFIGURATION = Configuration("lab", {})


def container(service: str, number: int = 1, started_at: float = 1.0) -> Container:
    return Container(
        docker=Mock(),
        service=service,
        number=number,
        id=f"{service}{number}",
        state="running",
        health="healthy",
        exit_code=0,
        oom_killed=False,
        restarts=0,
        started_at=started_at,
        joins_ipc_of=None,
        environment={},
    )


FIFO = [container("fifo-consumer"), container("fifo-producer")]
MQ = [container("sysv-mq-consumer"), container("sysv-mq-producer", started_at=2.0)]


@pytest.fixture
def notes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[Any, ...]]:
    written: list[tuple[Any, ...]] = []

    def note(_configuration: Configuration, _found: object, *what: object) -> bool:
        written.append(what)
        return True

    monkeypatch.setattr(annotation, "note", note)
    return written


def test_a_first_start_is_one_annotation(notes: list[tuple[Any, ...]]) -> None:
    annotation.annotate(CONFIGURATION, [], [*FIFO, *MQ, container("prometheus")])
    assert notes == [("up", ["fifo", "sysv_mq"], "started: fifo, sysv_mq", 2.0)]


def test_what_ran_on_is_none(notes: list[tuple[Any, ...]]) -> None:
    annotation.annotate(CONFIGURATION, FIFO, FIFO)
    assert notes == []


def test_what_was_started_again_is_one(notes: list[tuple[Any, ...]]) -> None:
    annotation.annotate(CONFIGURATION, FIFO, [replace(FIFO[0], started_at=9.0), FIFO[1]])
    assert notes == [("up", ["fifo"], "started: fifo", 9.0)]


def test_other_numbers_are_a_scale(notes: list[tuple[Any, ...]]) -> None:
    more = container("sysv-mq-consumer", number=2, started_at=7.0)
    annotation.annotate(CONFIGURATION, [*FIFO, *MQ], [*FIFO, *MQ, more])
    assert notes == [("scale", ["sysv_mq"], "scale of sysv_mq: consumers 2, producers 1", 7.0)]
    notes.clear()
    annotation.annotate(CONFIGURATION, [*FIFO, *MQ, more], [*FIFO, *MQ])
    assert notes == [("scale", ["sysv_mq"], "scale of sysv_mq: consumers 1, producers 1", None)]


def test_a_member_that_was_dead_and_is_back_was_started(notes: list[tuple[Any, ...]]) -> None:
    dead = replace(FIFO[0], state="exited", exit_code=137)
    annotation.annotate(CONFIGURATION, [dead, FIFO[1]], [replace(FIFO[0], started_at=9.0), FIFO[1]])
    assert notes == [("up", ["fifo"], "started: fifo", 9.0)]


def test_what_cannot_be_written_is_said_once(capsys: pytest.CaptureFixture[str]) -> None:
    no_grafana = Configuration("lab", {"LAB_GRAFANA_URL": f"http://127.0.0.1:{free_port()}"})
    more = [container("sysv-mq-consumer", number=2), container("fifo-producer", number=2), container("udp-consumer")]
    annotation.annotate(no_grafana, [*FIFO, *MQ], [*FIFO, *MQ, *more])
    (line,) = capsys.readouterr().err.splitlines()
    assert "no annotation" in line


@pytest.mark.parametrize(("url", "written"), [("http://127.0.0.1:1", [("down", ["fifo"], "stopped: fifo")]), ("", [])])
def test_a_stop_is_noted_where_the_store_outlives_the_lab(
    url: str, written: list[tuple[Any, ...]], notes: list[tuple[Any, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LAB_GRAFANA_URL", url)
    annotation.annotate_stop([])
    assert notes == []
    annotation.annotate_stop(["fifo"])
    assert notes == written
