"""A container with the engine's socket: no program of an engine is in it, and an engine answers."""

from __future__ import annotations

from types import SimpleNamespace

import docker
import pytest

from labctl.engine import engine, install
from labctl.terminal.errors import LabError


@pytest.fixture(autouse=True)
def without_an_installed_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "engine_address", lambda: engine.DEFAULT_SOCKET)
    monkeypatch.setattr(engine, "this_machine", lambda: SimpleNamespace(system="Linux"))
    monkeypatch.setattr(install, "socket_is_forbidden", lambda: False)
    monkeypatch.setattr(install, "is_missing", lambda: True)


def test_an_engine_that_answers_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    client = SimpleNamespace(api=SimpleNamespace(timeout=0, adapters={}))
    monkeypatch.setattr(docker, "from_env", lambda **_: client)
    assert not engine.will_be_installed()


def test_one_that_does_not_is(monkeypatch: pytest.MonkeyPatch) -> None:
    def silent() -> None:
        raise LabError("no Docker Engine answers", hint="")

    monkeypatch.setattr(engine, "connect", silent)
    assert engine.will_be_installed()
