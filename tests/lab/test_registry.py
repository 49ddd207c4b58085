"""A registry that limits, refuses, is gone and comes back: the real engine asks it when it may, and only then."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import docker
import pytest
from docker.errors import ImageNotFound

from labctl.engine import base_images, engine
from labctl.engine.silent_registries import ASKED_AGAIN_AFTER_S, SilentRegistries
from labctl.terminal.errors import LabError
from support.registry import Registry, registry


@pytest.fixture
def client() -> docker.DockerClient:
    """The engine; no lab is needed."""
    return engine.ensure_engine()


@pytest.fixture
def shop(client: docker.DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A registry, and a cache of its own; the image is removed afterwards."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with registry() as found:
        yield found
        with suppress(ImageNotFound):
            client.images.remove(found.image)


def ask(client: docker.DockerClient, shop: Registry, *, ask_again: bool = False) -> tuple[int, list[str]]:
    """How often the registry was asked, and what stays absent."""
    before = len(shop.asked)
    absent = base_images.pull_absent(client, [shop.image], ask_again=ask_again)
    return len(shop.asked) - before, absent


def test_a_limit_is_named_and_asked_again_after_ten_minutes_or_when_told_to(
    client: docker.DockerClient, shop: Registry, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shop.limits()
    asked, absent = ask(client, shop)
    assert asked > 0
    assert absent == [shop.image]
    said = " ".join(capsys.readouterr().err.split())
    assert "limits how often" in said
    assert "429" in said
    assert "docker login" in said
    assert "./lab bundle load" in said
    engine_id = str(client.info()["ID"])
    host = shop.image.partition("/")[0]
    assert "limit of pulls" in SilentRegistries(engine_id).recent()[host]
    assert ask(client, shop) == (0, [shop.image]), "each ./lab up would wait for it"
    assert ask(client, shop, ask_again=True)[0] > 0, "./lab up --pull"
    (file,) = (tmp_path / "ipclab").iterdir()
    known = json.loads(file.read_text(encoding="utf-8"))
    known[engine_id][host][0] -= ASKED_AGAIN_AFTER_S
    file.write_text(json.dumps(known), encoding="utf-8")
    assert ask(client, shop)[0] > 0

    shop.has_it()
    assert ask(client, shop, ask_again=True)[1] == []
    assert client.images.get(shop.image)
    assert host not in SilentRegistries(engine_id).recent(), "it has answered"


def test_an_image_costs_one_pull_and_a_look_costs_none(client: docker.DockerClient, shop: Registry) -> None:
    settings = {"PYTHON_IMAGE": shop.image, "PROMETHEUS_IMAGE": shop.image, "GRAFANA_IMAGE": ""}
    assert base_images.present(client, settings)[shop.image] != shop.image
    assert shop.asked == [], "a look asks the engine alone"
    assert base_images.pull_absent(client, [shop.image], ask_again=True) == []
    assert len(shop.counted()) == 1, shop.asked
    assert base_images.present(client, settings)[shop.image] == shop.image


def test_a_registry_without_the_image_ends_the_command(client: docker.DockerClient, shop: Registry) -> None:
    shop.has_nothing()
    with pytest.raises(LabError, match="has no image"):
        base_images.pull_absent(client, [shop.image], ask_again=True)


def test_a_registry_that_is_gone_is_silent(
    client: docker.DockerClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with registry() as gone:
        image = gone.image
    assert base_images.pull_absent(client, [image], ask_again=True) == [image]
    assert "connection refused" in SilentRegistries(str(client.info()["ID"])).recent()[image.partition("/")[0]]
