"""`./lab hosts up --docker-host`: another machine as the second host. See docs/decisions/0023-remote-second-host.md."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence

from ipclab.matrix.placement import Placement
from ipclab.metrics import definitions as metrics
from labctl.config import compose_file
from labctl.hosts import (
    image_transfer,
    published_responder,
    remote_address,
    remote_engine,
    remote_probe,
    second_host_probe,
)
from labctl.hosts.image_transfer import Brought
from labctl.hosts.remote_address import DockerHost
from labctl.hosts.remote_engine import RemoteEngine
from labctl.lab import state_files
from labctl.lab.containers import Container, stop_and_remove
from labctl.lab.lab import Lab
from labctl.lab.probes import probes_of
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.printing import show_lines
from labctl.terminal.progress import say, step
from labctl.terminal.waiting import wait_until

_SCRAPED_WITHIN_S = 15  # two seconds until Prometheus looks at the file, a round of the probe, and a start
_DIRECTORY, _FILE = "/prometheus", "second_host.json"  # as services/prometheus/prometheus.yml has it


def bring_up(lab: Lab, host: DockerHost, address: str) -> None:
    """Bring the lab's image to `host`, publish a responder on `address` for it, and start a probe there.

    :raises BadInput: `host` or `address` will not do; nothing was changed
    :raises LabError: the lab does not run, or a step fails, and what was begun is taken back
    """
    try:
        engine = remote_engine.reach(host)
    except BadInput:
        raise
    except LabError as error:
        raise remote_engine.as_bad_input(error) from error
    client = lab.client
    remote_engine.require_kin(engine, client)
    there = remote_address.address_of(host)
    found = lab.running()
    probes = probes_of(found)
    if not set(probes) >= second_host_probe.NEEDS:
        raise LabError("the responder does not run, so a probe has nothing to ask", hint="./lab up, then again")
    known = published_responder.find(found)
    _require_no_other(found, known, host)
    port = lab.configuration.number("LAB_TCP_PORT")
    if known is None or published_responder.address_of(known) != (address, port):
        published_responder.require_bindable(address, port)
    say(f"Publishing TCP and UDP {port} on {address} for {there} until ./lab hosts down")
    brought = image_transfer.bring(client, engine.client, lab.configuration.lab_image, tagged=False)
    if known:  # once more: what was there before the first time is still what was there before
        old = published_responder.brought_by(known)
        brought = Brought(brought.id, new=brought.new or brought.id == old)
        remote_probe.remove(engine, str(known.docker.id), old if old != brought.id else None)
        stop_and_remove(known.docker)
    with step(f"Starting a probe at {host}"):
        try:
            link = published_responder.start(
                client, lab.configuration, probes[Placement.SAME_CONTAINER], host, (address, port), brought
            )
            command = second_host_probe.command_of({**probes, Placement.SECOND_HOST: link})
            remote_probe.start(engine, lab.project, brought.id, command, there, str(link.docker.id))
        except BaseException:
            _take_back(lab, engine, brought)
            raise
    _tell(found, [f"{there}:{metrics.PORT}"])
    _require_scraped(lab, there)
    show_lines([f"the second host is {host}: ./lab matrix shows it"])


def take_down(lab: Lab, responder: Container) -> None:
    """Take back what was published here and what was brought there. The lab goes on.

    :raises LabError: that machine does not answer; here nothing is left all the same
    """
    url = published_responder.host_of(responder)
    with step(f"Leaving {url}"):
        _tell(lab.containers(), [])
        stop_and_remove(responder.docker)
        published_responder.leave(lab.project, str(responder.docker.id), responder.docker.labels)
    show_lines([f"removed the second host {url}, with all that the lab brought to it"])


def _require_no_other(found: Iterable[Container], known: Container | None, host: DockerHost) -> None:
    """There is one second host at a time."""
    taken = published_responder.host_of(known) if known else None
    if any(container.service == compose_file.SECOND_HOST for container in found):
        taken = "an engine on this machine"
    if taken not in (None, str(host)):
        raise BadInput(
            f"there is a second host: {taken}",
            hint="./lab hosts down, then again",
        )


def _take_back(lab: Lab, engine: RemoteEngine, brought: Brought) -> None:
    link = published_responder.find(lab.containers())
    if link:
        stop_and_remove(link.docker)
    remote_probe.remove(engine, str(link.docker.id) if link else "", brought.id if brought.new else None)


def _tell(found: Iterable[Container], targets: Sequence[str]) -> None:
    """Prometheus finds the probe over there by a file (prometheus.io/docs, file_sd_config)."""
    content = json.dumps([{"targets": list(targets)}])
    for container in found:
        if container.service == "prometheus":
            state_files.write(container.docker, _DIRECTORY, _FILE, content.encode())


def _require_scraped(lab: Lab, there: str) -> None:
    prometheus = lab.prometheus
    up = f"up{{instance='{there}:{metrics.PORT}'}} == 1"
    with step("Waiting until Prometheus scrapes the probe"):
        if not wait_until(lambda: prometheus.query(up), _SCRAPED_WITHIN_S):
            raise LabError(
                f"Prometheus does not reach {there}:{metrics.PORT} within {_SCRAPED_WITHIN_S} s",
                hint=f"does its firewall allow TCP {metrics.PORT}? ./lab hosts down removes the second host",
            )
