"""The images of a bundle: those that the lab builds, and those that they are built on: nothing is built again."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO

import docker
import requests
from docker.errors import DockerException, ImageNotFound

from labctl.config.configuration import IMAGE_TAG
from labctl.engine.base_images import BaseImages
from labctl.engine.images import engine_image, own_images
from labctl.terminal.errors import LabError
from labctl.terminal.printing import one_line
from labctl.terminal.progress import Step

_WITHIN_S = 1800  # of one answer of the engine: loading is its work alone


def listed(client: docker.DockerClient, base: BaseImages, settings: Mapping[str, str]) -> list[dict[str, str]]:
    """Name, id and own name of each image; `own` is "" for one that is not the lab's."""
    own = [*own_images(base, settings[IMAGE_TAG]), *([engine_image(base, settings[IMAGE_TAG])] if base.engine else [])]
    names = {image.name: image.name.rpartition(":")[0] for image in own}
    names |= {name: "" for name in (base.python, base.prometheus, base.grafana, base.engine) if name}
    return [{"name": name, "id": str(client.images.get(name).id), "own": mine} for name, mine in names.items()]


def save(client: docker.DockerClient, names: list[str], target: Path, current: Step) -> None:
    """All of them in one archive; layers that they share are in it once.

    :raises LabError: the engine does not give them
    """
    previous, client.api.timeout = client.api.timeout, _WITHIN_S
    try:
        url = client.api._url("/images/get")
        with (
            client.api.get(url, params={"names": names}, stream=True, timeout=_WITHIN_S) as answer,
            target.open("wb") as file,
        ):
            answer.raise_for_status()
            written = 0
            for chunk in answer.iter_content(1 << 20):
                file.write(chunk)
                written += len(chunk)
                current.detail(f"{written / 1e6:.0f} MB")
    except (DockerException, requests.RequestException) as error:
        raise LabError(f"the engine does not save its images: {one_line(error)}", hint="docker image ls") from error
    finally:
        client.api.timeout = previous


def load(client: docker.DockerClient, archive: IO[bytes], images: Iterable[Mapping[str, str]], tag: str) -> int:
    """Load the archive, and give the lab's own images this tag; how many images the engine has now that it had not.

    :raises LabError: the engine refuses; the images that came are removed again
    """
    wanted = list(images)
    new = [image["name"] for image in wanted if not _has(client, image["name"], image["id"])]
    previous, client.api.timeout = client.api.timeout, _WITHIN_S
    try:
        _load(client, archive, [image["name"] for image in wanted])
    except (DockerException, requests.RequestException, LabError) as error:
        for name in new:
            with contextlib.suppress(DockerException):
                client.images.remove(name, force=True)
        if isinstance(error, LabError):
            raise
        raise LabError(f"the engine does not load the images: {one_line(error)}", hint="docker system df") from error
    finally:
        client.api.timeout = previous
    for image in wanted:
        if image["own"]:
            client.images.get(image["name"]).tag(image["own"], tag)
            if image["name"] in new and image["name"] != f"{image['own']}:{tag}":
                client.images.remove(image["name"])  # the tag of who made the bundle
    return len(new)


def _load(client: docker.DockerClient, archive: IO[bytes], names: Iterable[str]) -> None:
    for event in client.api.load_image(archive):
        if "error" in event:
            raise LabError(f"the engine does not load the images: {event['error']}", hint="docker system df")
    for name in names:
        if not _has(client, name):
            raise LabError(f"the engine loaded no {name}", hint="./lab bundle load again")


def _has(client: docker.DockerClient, name: str, wanted_id: str = "") -> bool:
    try:
        found = client.images.get(name)
    except ImageNotFound:
        return False
    return not wanted_id or found.id == wanted_id
