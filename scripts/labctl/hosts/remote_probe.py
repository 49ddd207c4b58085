"""The probe on the second host: its container, and on another machine also its start, its commands and its removal.

The container has one shape on a local and on a remote second host: the limits and the confinement of the probes in
compose.yaml. Only its network differs.
"""

from __future__ import annotations

import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from typing import Any

import docker
import requests
from docker.errors import DockerException, ImageNotFound, NotFound
from docker.models.containers import Container as DockerContainer

from ipclab.metrics import definitions as metrics
from labctl.config.compose_file import of_every_container
from labctl.hosts import remote_address, remote_engine
from labctl.hosts.remote_engine import RemoteEngine
from labctl.lab.containers import Ran
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
            **network,
            **of_every_container(),
        )
        made.start()
    except (DockerException, requests.RequestException) as error:
        raise LabError(f"the probe cannot be started {where}: {one_line(error)}", hint=hint) from error


_OF_LABEL = "ipclab.responder"  # the id of the published responder that it asks
_ASKED_WITHIN_S = 30


def name_of(project: str) -> str:
    """The container's name there."""
    return f"{project}-second-host-probe"


def start(engine: RemoteEngine, project: str, image: str, command: Sequence[str], address: str, responder: str) -> None:
    """Start it; its metrics are published on `address` of that machine, and nowhere else.

    :raises LabError: the engine there refuses
    """
    start_container(
        engine.client,
        image,
        command,
        name=name_of(project),
        network={"ports": {f"{metrics.PORT}/tcp": (address, metrics.PORT)}},
        labels={_OF_LABEL: responder},
        where=f"at {engine.host}",
        hint=f"is TCP {metrics.PORT} free on {address} there, and no container called {name_of(project)}?",
    )


def take_away(url: str, project: str, responder: str, image: str | None) -> None:
    """Remove the probe that asks `responder`, and `image` if it was brought for it.

    :raises LabError: that machine does not answer, or refuses; what to type there is in the hint
    """
    try:
        engine = remote_engine.reach(remote_address.parse(url))
        remove(engine, responder, image)
    except (LabError, DockerException, requests.RequestException) as error:
        reason = error.message if isinstance(error, LabError) else one_line(error)
        rest = f"; docker --host {url} image rm {image.removeprefix('sha256:')[:12]}" if image else ""
        raise LabError(
            f"the second host's probe stays at {url}: {reason}",
            hint=f"docker --host {url} rm --force --volumes {name_of(project)}{rest}",
        ) from error


def remove(engine: RemoteEngine, responder: str, image: str | None) -> None:
    """The same where that machine was reached already; raises what the SDK raises."""
    wanted = {"label": f"{_OF_LABEL}={responder}"}
    for container in engine.client.containers.list(all=True, filters=wanted, sparse=True):
        with suppress(NotFound):
            container.remove(v=True, force=True)
    if image:
        with suppress(ImageNotFound):
            engine.client.images.remove(image)


def find(url: str, project: str) -> DockerContainer:
    """Its container, as it is now.

    :raises LabError: that machine does not answer, or there is none
    """
    try:
        return remote_engine.reach(remote_address.parse(url)).client.containers.get(name_of(project))
    except (DockerException, requests.RequestException) as error:
        raise LabError(f"no probe at {url}: {one_line(error)}", hint="./lab hosts up with the same options") from error


def execute(url: str, project: str, command: Sequence[str]) -> Ran:
    """Run `command` in the probe's container.

    :raises LabError: it does not end in time
    """
    try:
        done = subprocess.run(
            ["docker", "--host", url, "exec", name_of(project), *command],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_ASKED_WITHIN_S,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise LabError(f"no answer from {url} within {_ASKED_WITHIN_S} s", hint="is that machine up?") from error
    return Ran(done.returncode, done.stdout, done.stderr)
