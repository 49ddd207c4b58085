"""Anonymous volumes that `docker compose down` left: no container uses them, and no label says whose they are.

Compose removes a container without its anonymous volumes unless it is told `--volumes`, and the engine labels none of
them. The lab's image has a marker in each folder that becomes such a volume (services/Dockerfile), and the engine
copies the folder's content into a new volume (docs.docker.com/engine/storage/volumes, "Populate a volume using a
container"). So the marker tells them from others. One look from a container of the lab's image finds it.
"""

from __future__ import annotations

import re

import docker
from docker.errors import ImageNotFound

from labctl.engine import throwaway

MARKER = ".ipclab"
_ANONYMOUS = re.compile(r"[0-9a-f]{64}")
_AT_ONCE = 50  # mounts of one container
_LOOKS_AT = "/looked-at"


def abandoned(client: docker.DockerClient, image: str) -> list[str]:
    """The names of the anonymous volumes of the lab that no container uses, of whatever project.

    None can be told without `image`: then the list is empty.
    """
    dangling = [str(volume.name) for volume in client.volumes.list(filters={"dangling": "true"})]
    candidates = [name for name in dangling if _ANONYMOUS.fullmatch(name)]
    found: list[str] = []
    for begin in range(0, len(candidates), _AT_ONCE):
        found += _marked(client, image, candidates[begin : begin + _AT_ONCE])
    return sorted(found)


def _marked(client: docker.DockerClient, image: str, names: list[str]) -> list[str]:
    # nocopy: looking at an empty volume must not write the marker into it.
    mounts = [f"{name}:{_LOOKS_AT}/{name}:ro,nocopy" for name in names]
    script = f"cd {_LOOKS_AT} && for name in *; do [ -e $name/{MARKER} ] && echo $name; done"
    try:
        _, output = throwaway.run(client, image, ["sh", "-c", script], volumes=mounts, user="0")
    except ImageNotFound:
        return []
    return [name for name in output.split() if name in names]
