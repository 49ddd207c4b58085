"""A registry that was silent once is asked again: ten minutes later, and by each engine for itself."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.engine import fallback_images
from labctl.engine.machine import Machine, describe
from labctl.engine.silent_registries import ASKED_AGAIN_AFTER_S, SilentRegistries
from labctl.terminal.errors import LabError


def test_it_is_forgotten_after_ten_minutes(tmp_path: Path) -> None:
    file = tmp_path / "new" / "folder" / "file.json"
    SilentRegistries("engine", file, now_s=1000).remember([("docker.io", "429"), ("ghcr.io", "no such host")])
    at = [1000, 1000 + ASKED_AGAIN_AFTER_S - 1, 1000 + ASKED_AGAIN_AFTER_S]
    found = [SilentRegistries("engine", file, now_s=now_s).recent() for now_s in at]
    both = {"docker.io": "429", "ghcr.io": "no such host"}
    assert found == [both, both, {}]


def test_a_clock_that_was_set_back_hides_nothing_for_long(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    SilentRegistries("engine", file, now_s=5000).remember([("docker.io", "429")])
    assert SilentRegistries("engine", file, now_s=4000).recent() == {}


def test_another_engine_has_another_network(tmp_path: Path) -> None:
    file = tmp_path / "file.json"
    SilentRegistries("one", file, now_s=1000).remember([("docker.io", "429")])
    SilentRegistries("two", file, now_s=1001).remember([("ghcr.io", "timeout")])
    assert SilentRegistries("one", file, now_s=1002).recent() == {"docker.io": "429"}
    assert SilentRegistries("two", file, now_s=1002).recent() == {"ghcr.io": "timeout"}


@pytest.mark.parametrize("content", ["", "[]", "{", '{"engine": 5}', '{"engine": {"docker.io": "yesterday"}}', "\0"])
def test_a_file_that_is_not_ours_is_no_memory(tmp_path: Path, content: str) -> None:
    file = tmp_path / "file.json"
    file.write_text(content, encoding="utf-8")
    assert SilentRegistries("engine", file).recent() == {}
    SilentRegistries("engine", file).remember([("docker.io", "429")])
    assert SilentRegistries("engine", file).recent() == {"docker.io": "429"}


def test_where_nothing_can_be_written_the_registry_is_asked_each_time(tmp_path: Path) -> None:
    file = tmp_path / "file" / "below.json"
    file.parent.write_text("no folder", encoding="utf-8")
    SilentRegistries("engine", file).remember([("docker.io", "429")])
    assert SilentRegistries("engine", file).recent() == {}


def machine(os_release: dict[str, str], system: str = "Linux") -> Machine:
    """A machine of this kind."""
    return describe(os_release, system=system, machine="arm64", has_apt=False)


@pytest.mark.parametrize(
    ("there", "says"),
    [
        (machine({}, "Darwin"), ["macOS cannot build it", "Docker Desktop (Settings, Resources, Proxies)"]),
        (
            machine({"ID": "fedora", "PRETTY_NAME": "Fedora Linux 43"}),
            ["Fedora Linux 43 cannot build it", "https://docs.docker.com/engine/daemon/proxy"],
        ),
    ],
)
def test_without_a_registry_it_says_what_to_do_there(there: Machine, says: list[str]) -> None:
    absent = ["python:3.13-slim", "prom/prometheus:v3.5.0"]
    with pytest.raises(LabError) as refused:
        fallback_images.require_debian(there, absent[0], absent)
    names = "python:3.13-slim prom/prometheus:v3.5.0"
    for words in (
        *says,
        "./lab up --pull",
        f"docker pull {names}",
        f"docker save -o images.tar {names}",
        "docker load -i",
    ):
        assert words in str(refused.value)
