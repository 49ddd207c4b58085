"""The container of the probe on the second host: one shape, be that an engine in a container here or another machine's.

What it may do and take is what compose.yaml gives the probes here. How it reaches the network is all that differs.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import docker
import requests
from docker.errors import DockerException, NotFound

from labctl.config.compose_file import of_every_container
from labctl.terminal.errors import LabError
from labctl.terminal.printing import one_line


def runs(client: docker.DockerClient, image: str, command: Sequence[str], name: str) -> bool:
    """Whether it is there already, of this very image and with this command."""
    try:
        found = client.containers.get(name)
    except NotFound:
        return False
    config = found.attrs["Config"]
    return (found.status, found.attrs["Image"], config["Cmd"]) == ("running", image, list(command))


def start_container(
    client: docker.DockerClient,
    image: str,
    command: Sequence[str],
    *,
    name: str,
    network: Mapping[str, Any],
    labels: Mapping[str, str],
    where: str,
    hint: str,
) -> None:
    """Make it and start it. `network` is in the SDK's words: `network_mode`, or `ports`. No registry is asked.

    :raises LabError: the engine `where` refuses
    """
    try:
        made = client.containers.create(
            image,
            list(command),
            name=name,
            labels=dict(labels),
            ipc_mode="private",
            restart_policy={"Name": "unless-stopped"},
            tmpfs={"/run/lab": "size=1m,uid=10001,gid=10001,mode=0700"},
            **network,
            **of_every_container(),
        )
        made.start()
    except (DockerException, requests.RequestException) as error:
        raise LabError(f"the probe cannot be started {where}: {one_line(error)}", hint=hint) from error
