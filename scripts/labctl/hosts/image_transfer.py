"""The lab's image on the second engine: streamed from this one, so that no registry is asked."""

from __future__ import annotations

from dataclasses import dataclass

import docker
import requests
from docker.errors import DockerException, ImageNotFound

from labctl.terminal.errors import LabError, failed
from labctl.terminal.printing import one_line
from labctl.terminal.progress import step


@dataclass(frozen=True)
class Brought:
    """An image there. `new` is whether it was not there before."""

    id: str
    new: bool


def bring(home: docker.DockerClient, second_host: docker.DockerClient, name: str, *, tagged: bool) -> Brought:
    """What `docker save | docker load` does, unless it is there. Without `tagged`, no name over there is touched.

    :raises LabError: it cannot be had here, or not be loaded there
    """
    try:
        image = home.images.get(name)
        before = {found["Id"]: found.get("RepoTags") or [] for found in second_host.api.images(all=True)}
        if image.id in before and (not tagged or name in before[image.id]):
            return Brought(str(image.id), new=False)
        with step(f"Bringing {name} to the second engine"):
            (loaded,) = second_host.images.load(image.save(named=name if tagged else False))
    except ImageNotFound as error:
        raise LabError(f"there is no image {name}", hint="./lab up builds it") from error
    except (DockerException, requests.RequestException, OSError, ValueError) as error:
        raise failed(
            f"{name} cannot be loaded into the second engine: {one_line(error)}", hint="./lab hosts down, then up again"
        ) from error
    return Brought(str(loaded.id), new=loaded.id not in before)
