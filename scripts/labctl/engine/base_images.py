"""The images the lab builds on: present, pulled, or replaced by fallback images from distribution packages."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

import docker
from docker.auth import resolve_repository_name
from docker.errors import APIError, ImageNotFound

from labctl.engine import fallback_images, registry
from labctl.engine.fallback_images import BaseArchive
from labctl.engine.registry import Answer
from labctl.engine.silent_registries import SilentRegistries
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.printing import one_line
from labctl.terminal.progress import say, step


@dataclass(frozen=True)
class BaseImages:
    """The images that the lab's own are built on; `grafana` is None where there is none to be had.

    `engine` is None until somebody wants a second host.
    """

    python: str
    prometheus: str
    grafana: str | None
    engine: str | None = None
    instead_of: Mapping[str, str] = field(default_factory=dict)  # a fallback image to the image that is not here
    not_pulled: Mapping[str, str] = field(default_factory=dict)  # an image that is not here: why it could not be pulled

    def environment(self) -> dict[str, str]:
        """As `compose.yaml` reads them."""
        names = {"PYTHON_IMAGE": self.python, "PROMETHEUS_IMAGE": self.prometheus}
        names |= {"GRAFANA_IMAGE": self.grafana} if self.grafana else {}
        return names | ({"ENGINE_IMAGE": self.engine} if self.engine else {})


def ensure_base_images(client: docker.DockerClient, settings: Mapping[str, str], *, root: Path) -> BaseImages:
    """The base images, present in the engine: the ones `settings` names, or fallback images for them.

    :raises LabError: as `choose_base_images` does, and when Prometheus' fallback image cannot be built
    """
    with fallback_images.base_archive() as archive:
        base = choose_base_images(client, settings, archive)
    ensure_prometheus_base(client, settings, base, root=root)
    return base


def choose_base_images(
    client: docker.DockerClient, settings: Mapping[str, str], archive: BaseArchive, *, ask_again: bool = False
) -> BaseImages:
    """The base images as `ensure_base_images` has them, but a fallback image for Prometheus may still have to be built.

    A registry that was silent, or limited how often it is asked, is asked again ten minutes later, and at once with
    `ask_again`. An empty GRAFANA_IMAGE asks for no Grafana.

    :raises LabError: a registry answers that it has no such image, or Python's fallback image cannot be built
    """
    python, prometheus, grafana = (settings[f"{name}_IMAGE"] for name in ("PYTHON", "PROMETHEUS", "GRAFANA"))
    absent = [image for image in (python, prometheus, grafana) if image and not _labels(client, image)[0]]
    absent = pull_absent(client, absent, ask_again=ask_again)
    reasons = SilentRegistries(str(client.info()["ID"])).recent()
    not_pulled = {image: reasons.get(_registry_of(image), "its registry does not answer") for image in absent}
    instead_of: dict[str, str] = {}
    if python in absent:
        if not _labels(client, fallback_images.BASE)[0]:
            fallback_images.build_base(client, python, archive, absent)
        instead_of[fallback_images.BASE] = python
        python = fallback_images.BASE
    if prometheus in absent:
        instead_of[fallback_images.PROMETHEUS] = prometheus
        prometheus = fallback_images.PROMETHEUS
    grafana = "" if grafana in absent else grafana
    return BaseImages(python, prometheus, grafana or None, instead_of=instead_of, not_pulled=not_pulled)


def ensure_prometheus_base(
    client: docker.DockerClient, settings: Mapping[str, str], base: BaseImages, *, root: Path
) -> None:
    """The fallback image for Prometheus, built, if `base` has it.

    :raises LabError: that fails
    """
    if base.prometheus == fallback_images.PROMETHEUS and not _labels(client, base.prometheus)[0]:
        fallback_images.build_prometheus(root, python_image=base.python, instead_of=settings["PROMETHEUS_IMAGE"])


def ensure_engine_base(
    client: docker.DockerClient, settings: Mapping[str, str], base: BaseImages, *, root: Path
) -> BaseImages:
    """`base` with the image that the second host is built on: ENGINE_IMAGE, or a fallback image. Raises alike."""
    wanted = settings["ENGINE_IMAGE"]
    absent = [] if _labels(client, wanted)[0] else pull_absent(client, [wanted], ask_again=False)
    if not absent:
        return replace(base, engine=wanted)
    if not _labels(client, fallback_images.ENGINE)[0]:
        fallback_images.build_engine(root, python_image=base.python, instead_of=wanted)
    return replace(base, engine=fallback_images.ENGINE, instead_of={**base.instead_of, fallback_images.ENGINE: wanted})


def pull_absent(client: docker.DockerClient, absent: list[str], *, ask_again: bool) -> list[str]:
    """Pull what its registry has; returns what stays absent."""
    memory = SilentRegistries(str(client.info()["ID"]))
    silent = {} if ask_again else memory.recent()
    asked = [image for image in absent if _registry_of(image) not in silent]
    if not asked:
        return absent
    with step(f"Asking {', '.join(sorted({_registry_of(image) for image in asked}))}"):
        answers = registry.probe(client, asked)
    for image, (answer, reason) in answers.items():
        if answer is Answer.HAS_IT_NOT:
            raise LabError(
                f"{_registry_of(image)} has no image {image}, or not for you: {reason}",
                hint="correct its name in .env or in the environment, or `docker login`",
            )
    for reason in {reason for answer, reason in answers.values() if answer is Answer.SILENT}:
        say(f"No registry to pull from: {reason}; asked again in 10 minutes, or by ./lab up --pull")
    failures = {image: reason for image, (answer, reason) in answers.items() if answer is Answer.SILENT}
    for image in answers.keys() - failures.keys():
        if why := _pull_failure(client, image):
            failures[image] = why
    memory.remember((_registry_of(image), reason) for image, reason in failures.items())
    return [image for image in absent if image in failures or image not in asked]


def _pull_failure(client: docker.DockerClient, image: str) -> str:
    """Pull it; why that failed, "" if it did not. That is said, and is no end: there are fallback images."""
    try:
        with step(f"Pulling {image}") as current:
            registry.pull(client, image, current)
    except LabError as error:
        say(error.message)
        return error.message
    return ""


def _registry_of(image: str) -> str:
    """The host an image's name points to: "docker.io", "ghcr.io"."""
    return str(resolve_repository_name(image)[0])


def _labels(client: docker.DockerClient, image: str) -> tuple[bool, Mapping[str, str]]:
    """Whether the engine has `image`, and its labels.

    :raises BadInput: that is no name of an image
    """
    try:
        return True, client.images.get(image).labels
    except ImageNotFound:
        return False, {}
    except APIError as error:
        if error.response is None or error.response.status_code != 400:
            raise
        raise BadInput(
            f"{image!r} is no name of an image: {one_line(error)}",
            hint="PYTHON_IMAGE, PROMETHEUS_IMAGE, GRAFANA_IMAGE and ENGINE_IMAGE look like prom/prometheus:v3.5.0",
        ) from error
