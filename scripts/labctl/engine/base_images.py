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
    not_asked = set() if ask_again else set(memory.recent())
    failures: dict[str, str] = {}  # registry to the reason
    left = []
    for image in absent:
        host = _registry_of(image)
        if host not in not_asked | failures.keys():
            answer, reason = _pull(client, image)
            if answer is Answer.HAS_IT:
                memory.forget(host)
                continue
            failures[host] = reason
        left.append(image)
    memory.remember(failures.items())
    return left


def _pull(client: docker.DockerClient, image: str) -> tuple[Answer, str]:
    """What the registry answered, with the reason, which is said: there are fallback images.

    :raises LabError: the registry has no such image
    """
    host = _registry_of(image)
    try:
        with step(f"Asking {host} for {image}") as current:
            answer, reason = registry.pull(client, image, current)
            current.detail(reason)
    except LabError as error:  # it has the image, and broke off
        say(error.message)
        return Answer.SILENT, error.message
    if answer is Answer.HAS_IT_NOT:
        raise LabError(
            f"{host} has no image {image}, or not for you: {reason}",
            hint="correct its name in .env or in the environment, or `docker login`",
        )
    if answer is Answer.LIMITED:
        said = f"{host} {answer.value} (429, or its words for it): {reason}"
        reason = f"limit of pulls: {reason}"
        say(f"{said} (hint: `docker login` raises the limit, or use a bundle: ./lab bundle load FILE.tar)")
    elif answer is Answer.SILENT:
        say(f"No registry to pull {image} from: {reason}; asked again in 10 minutes, or by ./lab up --pull")
    return answer, reason


def present(client: docker.DockerClient, settings: Mapping[str, str]) -> dict[str, str | None]:
    """Each image that the settings name, to what the engine has for it: itself, its fallback image, or None.

    Nobody but the engine is asked.

    :raises BadInput: a setting is no name of an image
    """
    instead = {"PYTHON_IMAGE": fallback_images.BASE, "PROMETHEUS_IMAGE": fallback_images.PROMETHEUS}
    found: dict[str, str | None] = {}
    for name in ("PYTHON_IMAGE", "PROMETHEUS_IMAGE", "GRAFANA_IMAGE"):
        candidates = [image for image in (settings[name], instead.get(name)) if image]
        if image := settings[name]:
            found[image] = next((each for each in candidates if _labels(client, each)[0]), None)
    return found


def silent(client: docker.DockerClient, image: str) -> str | None:
    """Why the image's registry gave none to this engine in the last ten minutes; None where it was not asked."""
    return SilentRegistries(str(client.info()["ID"])).recent().get(_registry_of(image))


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
