"""The lab's own images, built through Compose only when their inputs have changed.

One hash stands for the inputs of an image: an equal hash needs no build.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import docker
from docker.errors import ImageNotFound

from labctl.config import compose_file
from labctl.config.configuration import IMAGE_TAG
from labctl.engine.base_images import BaseImages, choose_base_images, ensure_engine_base, ensure_prometheus_base
from labctl.engine.compose import ensure_compose, install_plugin, require_common_api
from labctl.engine.engine import ensure_engine, say_if_not_tested, will_be_installed
from labctl.engine.fallback_images import BaseArchive, base_archive
from labctl.terminal.errors import LabError
from labctl.terminal.progress import step
from labctl.terminal.subprocesses import run, side_by_side

_NOT_INPUTS = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


def source_hash(root: Path, patterns: Iterable[str], base_image_id: str) -> str:
    """A hash over the names and contents of the files that match `patterns` under `root`, and the base image.

    Independent of where the repository is cloned, of modification times and of the order of `patterns`.
    """
    digest = hashlib.sha256(base_image_id.encode())
    for path in sorted({path for pattern in patterns for path in root.glob(pattern)}):
        name = path.relative_to(root)
        if path.is_file() and not _NOT_INPUTS.intersection(name.parts):
            content = path.read_bytes()
            # The length keeps a byte from moving from one file's end to the next one's name unseen.
            digest.update(f"\0{name.as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()[:16]


HASH_LABEL = "ipclab.source-hash"
_CA_VARIABLES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_CA_FILES = ("/etc/ssl/certs/ca-certificates.crt", "/etc/pki/tls/certs/ca-bundle.crt", "/etc/ssl/cert.pem")


@dataclass(frozen=True)
class OwnImage:
    """One image of the lab: the Compose service that builds it, and what it is made of."""

    name: str
    service: str
    base: str
    inputs: tuple[str, ...]  # glob patterns under the repository


def own_images(base: BaseImages, tag: str) -> list[OwnImage]:
    """The lab's images, with this tag, on these base images; Grafana's only where there is one to build on."""
    images = [
        OwnImage(
            f"ipclab/lab:{tag}",
            "holder",
            base.python,
            (
                "services/Dockerfile",
                "services/.dockerignore",
                "services/requirements.txt",
                "services/competitors.txt",
                "services/atomics/*",
                "services/ipclab/**/*",
                "services/reference/**/*",
            ),
        ),
        OwnImage(
            f"ipclab/page:{tag}",
            "page",
            base.python,
            (
                "services/page/Dockerfile*",
                "services/page.txt",
                "services/page/labpage/**/*",
                "dashboards/json/*.json",
                "exercises/*.toml",
                "exercises/*/*.md",
                "exercises/*/*.toml",
                "services/ipclab/**/*",
            ),
        ),
        OwnImage(f"ipclab/prometheus:{tag}", "prometheus", base.prometheus, ("services/prometheus/**/*",)),
    ]
    if base.grafana:
        inputs = ("services/grafana/**/*", "dashboards/json/**/*")
        images.append(OwnImage(f"ipclab/grafana:{tag}", "grafana", base.grafana, inputs))
    return images


def engine_image(base: BaseImages, tag: str) -> OwnImage:
    """The second host's, which `./lab hosts up` alone needs."""
    assert base.engine
    return OwnImage(f"ipclab/engine:{tag}", compose_file.SECOND_HOST, base.engine, ("services/engine/**/*",))


def make_ready(
    settings: Mapping[str, str], *, root: Path, ask_again: bool = False
) -> tuple[docker.DockerClient, BaseImages]:
    """A running engine, Compose and every image of the lab, installed and built where they are missing.

    On a bare machine, what needs no engine is made while the engine is being installed.

    :param ask_again: ask registries that were silent a short while ago

    :raises LabError: as `ensure_engine`, `ensure_compose` and `ensure_images` do
    """
    with base_archive() as archive:
        if will_be_installed():
            # First, and not beside the engine's packages: apt works on one thing at a time.
            archive.prepare_ahead(settings["PYTHON_IMAGE"])
        client = ensure_engine(install_plugin, archive.make_ahead)
        ensure_compose()
        require_common_api(client)
        say_if_not_tested(client)
        return client, _ensure_images(client, settings, archive, root, ask_again)


def ensure_images(client: docker.DockerClient, settings: Mapping[str, str], *, root: Path) -> BaseImages:
    """Every image of the lab ready in the engine; returns what they are built on, for Compose's environment.

    They are built side by side.

    :raises LabError: as `choose_base_images` does, and when a build fails
    """
    with base_archive() as archive:
        return _ensure_images(client, settings, archive, root, False)


def _ensure_images(
    client: docker.DockerClient, settings: Mapping[str, str], archive: BaseArchive, root: Path, ask_again: bool
) -> BaseImages:
    base = choose_base_images(client, settings, archive, ask_again=ask_again)

    def build(image: OwnImage) -> None:
        if image.base == base.prometheus:
            ensure_prometheus_base(client, settings, base, root=root)
        ensure_image(client, image, base, settings, root)

    side_by_side(*(partial(build, image) for image in own_images(base, settings[IMAGE_TAG])))
    return base


def ensure_engine_image(
    client: docker.DockerClient, settings: Mapping[str, str], base: BaseImages, *, root: Path
) -> BaseImages:
    """The second host's image ready in the engine; returns `base` with what it is built on.

    :raises LabError: as `ensure_engine_base` does, and when a build fails
    """
    base = ensure_engine_base(client, settings, base, root=root)
    ensure_image(client, engine_image(base, settings[IMAGE_TAG]), base, settings, root)
    return base


def ensure_image(
    client: docker.DockerClient, image: OwnImage, base: BaseImages, settings: Mapping[str, str], root: Path
) -> None:
    """One image, built if what it is made of has changed.

    :raises LabError: the build fails
    """
    wanted = source_hash(root, image.inputs, identity(client, image.base))
    if _built_hash(client, image.name) != wanted:
        _build(image, base, {IMAGE_TAG: settings[IMAGE_TAG], "LAB_SOURCE_HASH": wanted}, root)


def identity(client: docker.DockerClient, image: str) -> str:
    """What an image is, by the checksums of its layers.

    Its ID is the engine's own: one with containerd's image store gives a loaded image another (docs.docker.com/engine/
    storage/containerd).
    """
    return "\0".join(client.images.get(image).attrs["RootFS"]["Layers"])


def _built_hash(client: docker.DockerClient, tag: str) -> str | None:
    try:
        labels: Mapping[str, str] = client.images.get(tag).labels
    except ImageNotFound:
        return None
    return labels.get(HASH_LABEL)


def _build(image: OwnImage, base: BaseImages, settings: Mapping[str, str], root: Path) -> None:
    environment = {
        **base.environment(),
        **settings,
        "BUILDKIT_PROGRESS": "plain",
        "SSL_CERT_FILE": ca_bundle(),
    }
    with step(f"Building {image.name}") as current:
        run(
            # Compose labels what it builds with the project's name, and that must be no lab's.
            ["docker", "compose", "-p", "ipclab-images", "-f", str(root / "compose.yaml"), "build", image.service],
            step=current,
            hint="the build needs a Debian mirror and PyPI; behind a proxy that re-signs TLS: SSL_CERT_FILE",
            environment=environment,
            cwd=root,
        )


def ca_bundle() -> str:
    """The host's CA bundle, which pip inside a build is given: the one the user names, or the system's.

    A proxy that re-signs TLS is trusted by the host and by nothing inside an image.

    :raises LabError: the user names a file that is not there
    """
    for name in _CA_VARIABLES:
        if value := os.environ.get(name):
            if not Path(value).is_file():
                raise LabError(f"{name}={value} is no file", hint="name a file of CA certificates, or unset it")
            return value
    return next((path for path in _CA_FILES if Path(path).is_file()), os.devnull)
