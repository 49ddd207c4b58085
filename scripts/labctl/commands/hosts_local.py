"""The second host on this machine: a Docker Engine in a container, joined to the lab by a network alone."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from docker.errors import APIError, NotFound
from docker.models.containers import Container as DockerContainer

from ipclab.matrix.placement import Placement
from labctl.clusters.swarm import down
from labctl.config import compose_file
from labctl.config.paths import ROOT
from labctl.engine import compose, fallback_images
from labctl.engine.base_images import ensure_base_images
from labctl.engine.images import ensure_engine_image
from labctl.hosts import image_transfer, local_engine, published_responder, remote_probe, stdio_transport
from labctl.hosts.remote_address import OPTION
from labctl.hosts.second_host_probe import NAME, NEEDS, command_of
from labctl.lab.containers import PROJECT_LABEL, Container
from labctl.lab.lab import Lab
from labctl.lab.probes import probes_of
from labctl.place.place import put_all_back
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.printing import show_lines
from labctl.terminal.progress import say, step
from labctl.terminal.waiting import wait_until

_ANSWERS_WITHIN_S = 30
# The probe uses the network namespace of the second host.
_NETWORK = {"network_mode": "host"}


def bring_up(lab: Lab) -> None:
    """Start the second engine, bring the lab's image into it, and start the probe there if there is a responder.

    :raises BadInput: the second host is another machine
    :raises LabError: the lab does not run, or a step fails
    """
    client = lab.client
    found = lab.running()
    if responder := published_responder.find(found):
        raise BadInput(
            f"there is a second host: {published_responder.host_of(responder)}",
            hint=f"./lab hosts down, then again; or with {OPTION}",
        )
    probes = probes_of(found)
    base = ensure_base_images(client, lab.configuration.values, root=ROOT)
    base = ensure_engine_image(client, lab.configuration.values, base, root=ROOT)
    instead_of = base.instead_of.get(fallback_images.ENGINE)
    if instead_of and not any(container.service == compose_file.SECOND_HOST for container in found):
        say(f"The second host runs on {fallback_images.ENGINE}: the image {instead_of} is missing")
    compose.start([compose_file.SECOND_HOST], {**lab.configuration.environment(), **base.environment()}, {})
    host = _second_host(lab)
    _require_answer(host)
    name = lab.configuration.lab_image
    second_engine = stdio_transport.client(stdio_transport.dial_container(str(host.id)))
    brought = image_transfer.bring(client, second_engine, name, tagged=True)
    if not set(probes) >= NEEDS:
        show_lines(["the second host runs without a probe: the responder does not run (hint: ./lab up, then again)"])
        return
    command = command_of(probes)
    if not remote_probe.runs(second_engine, brought.id, command, NAME):
        with step("Starting the probe on the second host"):
            with suppress(NotFound):
                second_engine.containers.get(NAME).remove(v=True, force=True)
            remote_probe.start_container(
                second_engine,
                name,
                command,
                name=NAME,
                network=_NETWORK,
                labels={},
                where="on the second host",
                hint="./lab hosts down removes it",
            )
    show_lines(["the second host runs: ./lab matrix shows it"])


def take_down(lab: Lab, host: Sequence[Container]) -> None:
    """Remove the second engine with all that it holds. The lab goes on, with the consumers that were placed there.

    :raises LabError: the engine does not answer
    """
    client, project = lab.client, lab.project
    label = {"label": [f"{PROJECT_LABEL}={project}", f"com.docker.compose.volume={compose_file.SECOND_HOST}"]}
    if not host and not client.volumes.list(filters=label):
        show_lines(["there is no second host"])
        return
    if down.remove(client, project):
        say("Removed the Swarm stack: it used the second host")
    for container in host:
        _wake(container)
    try:
        put_all_back(lab, compose_file.declared(), Placement.SECOND_HOST)
    except LabError as error:
        say(f"{error}; ./lab up starts its consumers on this machine, without the counts of the second host")
    with step("Removing the second host"):
        for container in host:
            local_engine.remove(client, container.docker)
        for volume in client.volumes.list(filters=label):
            volume.remove(force=True)
    show_lines(["removed the second host, with its containers, images and volume"])


def _wake(host: Container) -> None:
    """Start a stopped engine: the ledgers of the consumers on the second host are in its containers."""
    with suppress(APIError, LabError):
        if host.state == "paused":
            host.docker.unpause()
        elif not host.running:
            host.docker.start()
            _require_answer(host.docker)


def _require_answer(host: DockerContainer) -> None:
    with step("Waiting for the second engine"):
        if not wait_until(lambda: host.exec_run(["docker", "info"]).exit_code == 0, _ANSWERS_WITHIN_S):
            last = host.logs(tail=3).decode(errors="replace").strip().replace("\n", " | ")
            raise LabError(f"the second engine does not answer: {last}", hint="./lab hosts down removes it")


def _second_host(lab: Lab) -> DockerContainer:
    return next(c.docker for c in lab.containers() if c.service == compose_file.SECOND_HOST)
