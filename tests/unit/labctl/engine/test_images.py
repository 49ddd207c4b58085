"""What decides about a build covers what goes into it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from labctl.engine.base_images import BaseImages
from labctl.engine.images import OwnImage, engine_image, own_images

_ROOT = Path(__file__).parents[4]
_BASE = BaseImages(
    python="python:3", prometheus="prom/prometheus:v3", grafana="grafana/grafana:12", engine="docker:28-dind"
)
_ALL = [*own_images(_BASE, "local"), engine_image(_BASE, "local")]


def _build(image: OwnImage) -> tuple[Path, Path]:
    """The context and the Dockerfile that compose.yaml gives the image's service."""
    service = yaml.safe_load((_ROOT / "compose.yaml").read_text())["services"][image.service]
    context = _ROOT / service["build"]["context"]
    return context, context / service["build"].get("dockerfile", "Dockerfile")


def _copied(dockerfile: Path) -> list[str]:
    """The sources of every COPY from the context."""
    found = re.findall(r"^COPY (?!--from)(.+) \S+$", dockerfile.read_text(), flags=re.MULTILINE)
    return [source for sources in found for source in sources.split()]


@pytest.mark.parametrize("image", _ALL, ids=lambda image: image.service)
def test_every_file_of_an_image_is_an_input_of_its_hash(image: OwnImage) -> None:
    context, dockerfile = _build(image)
    inputs = {path for pattern in image.inputs for path in _ROOT.glob(pattern) if path.is_file()}
    assert dockerfile in inputs
    copied = _copied(dockerfile)
    assert copied
    for source in copied:
        path = context / source
        files = [path] if path.is_file() else [file for file in path.rglob("*") if file.is_file()]
        files = [file for file in files if _in_context(file, dockerfile)]
        assert files, f"{dockerfile} copies {source}, which is not there"
        assert set(files) <= inputs, f"{source} is copied and not hashed"


def _in_context(file: Path, dockerfile: Path) -> bool:
    """Whether the engine is sent the file: a Dockerfile with its own list leaves out what the list does not name."""
    ignored = dockerfile.with_name(f"{dockerfile.name}.dockerignore")
    if not ignored.exists():
        return True
    named = [line[1:] for line in ignored.read_text().splitlines() if line.startswith("!")]
    inside = file.relative_to(_ROOT)
    return any(part.match(pattern) for pattern in named for part in (inside, *inside.parents))


@pytest.mark.parametrize("image", _ALL, ids=lambda image: image.service)
def test_every_image_is_built_under_the_name_that_is_looked_for(image: OwnImage) -> None:
    services = yaml.safe_load((_ROOT / "compose.yaml").read_text())["services"]
    assert services[image.service]["image"].replace("${LAB_IMAGE_TAG:-local}", "local") == image.name


def test_without_grafana_there_is_nothing_of_it_to_build() -> None:
    base = BaseImages(python="python:3", prometheus="prom/prometheus:v3", grafana=None)
    assert "grafana" not in {image.service for image in own_images(base, "local")}
    assert "GRAFANA_IMAGE" not in base.environment()


def test_the_second_host_is_built_on_its_own_base() -> None:
    """And the rest of the lab does not ask for it."""
    assert _BASE.environment()["ENGINE_IMAGE"] == "docker:28-dind"
    assert _build(engine_image(_BASE, "local"))[1].read_text().count("FROM ${BASE_IMAGE}") == 1
    assert "ENGINE_IMAGE" not in BaseImages(python="python:3", prometheus="prom:v3", grafana=None).environment()
