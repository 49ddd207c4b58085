"""compose.override.yaml: what `docker compose` without ./lab needs to do as ./lab did."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from labctl.config.configuration import Configuration
from labctl.config.paths import ROOT
from labctl.engine import compose_override
from labctl.engine.base_images import BaseImages

SETTINGS = Configuration.load(environment={}).values
STAND_INS = BaseImages(
    "ipclab/base:x", "ipclab/prometheus-debian:x", None, not_pulled={SETTINGS["GRAFANA_IMAGE"]: "no registry: {'a': 1}"}
)
AS_NAMED = BaseImages(SETTINGS["PYTHON_IMAGE"], SETTINGS["PROMETHEUS_IMAGE"], SETTINGS["GRAFANA_IMAGE"])


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "compose.override.yaml"


def _merged(file: Path) -> dict[str, Any]:
    """What Compose makes of the two files."""
    for name in ("compose.yaml", ".env"):
        shutil.copy(ROOT / name, file.parent / name)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("COMPOSE_", "LAB_"))}
    done = subprocess.run(
        ["docker", "compose", "config", "--format", "json"],
        cwd=file.parent,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    if "is not a docker command" in done.stderr:
        pytest.skip("no Compose on this machine")
    assert done.returncode == 0, done.stderr
    model: dict[str, Any] = json.loads(done.stdout)
    return model


@pytest.mark.skipif(shutil.which("docker") is None, reason="no docker command on this machine")
def test_compose_reads_it_unasked_leaves_grafana_out_and_builds_on_the_same_images(file: Path) -> None:
    compose_override.write(STAND_INS, SETTINGS, file)
    services = _merged(file)["services"]
    assert "grafana" not in services
    assert services["holder"]["build"]["args"]["BASE_IMAGE"] == "ipclab/base:x"
    assert services["prometheus"]["build"]["args"]["PROMETHEUS_IMAGE"] == "ipclab/prometheus-debian:x"
    file.unlink()
    without = _merged(file)["services"]
    assert "grafana" in without
    for name, service in services.items():
        # Nothing by which Compose would tell the containers of ./lab up from its own, and make them anew.
        assert {k: v for k, v in service.items() if k != "build"} == {
            k: v for k, v in without[name].items() if k != "build"
        }


def test_what_could_not_be_pulled_is_kept_with_its_reason_and_said_in_the_file(file: Path) -> None:
    compose_override.write(STAND_INS, SETTINGS, file)
    assert compose_override.not_pulled(file) == STAND_INS.not_pulled
    head = [line for line in file.read_text().splitlines() if line.startswith("#")]
    assert f"# Grafana is left out: no image {SETTINGS['GRAFANA_IMAGE']}." in head


def test_there_is_none_where_all_images_are_those_of_the_settings(file: Path) -> None:
    compose_override.write(STAND_INS, SETTINGS, file)
    compose_override.write(AS_NAMED, SETTINGS, file)
    assert not file.exists()
    assert compose_override.not_pulled(file) == {}


def test_a_file_of_the_users_own_is_left_alone(file: Path) -> None:
    file.write_text("services: {}\n")
    compose_override.write(STAND_INS, SETTINGS, file)
    assert file.read_text() == "services: {}\n"
    assert compose_override.not_pulled(file) == {}


def test_git_ignores_it() -> None:
    if not (ROOT / ".git").exists() or shutil.which("git") is None:
        pytest.skip("no Git clone here")
    ignored = subprocess.run(
        ["git", "check-ignore", "--quiet", compose_override.FILE.name], cwd=ROOT, timeout=10, check=False
    )
    assert ignored.returncode == 0
