"""A container that runs one command, and leaves nothing: no container and no anonymous volume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import docker

_ENDS_WITHIN_S = 60


def run(client: docker.DockerClient, image: str, command: Sequence[str], **options: Any) -> tuple[int, str]:
    """Exit code, and what it printed; `options` are those of the SDK's `containers.create`.

    The SDK's own `run(remove=True)` leaves the anonymous volumes that the image declares.

    :raises docker.errors.DockerException: the engine refuses, or there is no `image`
    """
    entrypoint, *arguments = command
    container = client.containers.create(image, arguments, entrypoint=[entrypoint], network_mode="none", **options)
    try:
        container.start()
        code = int(container.wait(timeout=_ENDS_WITHIN_S)["StatusCode"])
        return code, container.logs().decode(errors="replace")
    finally:
        container.remove(v=True, force=True)
