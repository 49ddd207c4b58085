"""A container that runs one command, and leaves nothing: no container and no anonymous volume."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import docker
from docker.models.containers import Container

from labctl.terminal.signals import held_back

_ENDS_WITHIN_S = 60


def run(client: docker.DockerClient, image: str, command: Sequence[str], **options: Any) -> tuple[int, str]:
    """Exit code, and what it printed; `options` are those of the SDK's `containers.create`.

    The SDK's own `run(remove=True)` leaves the anonymous volumes that the image declares.

    :raises docker.errors.DockerException: the engine refuses, or there is no `image`
    """
    entrypoint, *arguments = command
    container: Container | None = None
    try:
        with held_back():  # the engine may have made what is not known here yet
            container = client.containers.create(
                image, arguments, entrypoint=[entrypoint], network_mode="none", **options
            )
        container.start()
        code = int(container.wait(timeout=_ENDS_WITHIN_S)["StatusCode"])
        return code, container.logs().decode(errors="replace")
    finally:
        if container is not None:
            with held_back():
                container.remove(v=True, force=True)
