"""The move of a pair's consumer to another placement, with its ledger, and back.

The consumer that Compose made is stopped and stays; another one takes its place. Its ledger goes with it through the
engines' API, so every sequence number stays in one account. See docs/decisions/0021-consumer-relocation.md.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import requests
from docker.errors import DockerException
from docker.models.containers import Container as DockerContainer

from ipclab.matrix.placement import Placement
from labctl.config import compose_file
from labctl.grafana import annotation
from labctl.lab import containers, state_files
from labctl.lab.containers import Container, require_running, stop_and_remove
from labctl.lab.lab import Lab
from labctl.measured import traffic
from labctl.place import moved_consumers
from labctl.place import relocated_container as placed_container
from labctl.place.moved_consumers import Placed
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.printing import one_line

_GRACE_S = 3  # compose.yaml's stop_grace_period
# A UDP producer that asked for the name a moment too early sends to an address that nobody has any more. Its kernel
# says so when it gives the neighbour up: 45 s (1.5 times base_reachable_time), 5 s, and three probes of 1 s, arp(7).
_MOVES_WITHIN_S = 60
_STATE = "/state"


class Relocation:
    """The lab as it is at the moment of the command, and the moves in it."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._found = lab.containers()
        self.second_host = moved_consumers.second_engine(self._found)
        self.placed = self.find_placed()

    def find_placed(self) -> list[Placed]:
        """The moved consumers, as they are now."""
        return moved_consumers.all_placed(self._lab.client, self._found, self._lab.project)

    def placed_of(self, mechanism: str) -> Placed | None:
        """The moved consumer of the pair, None if it was not moved."""
        return next((it for it in self.placed if it.mechanism == mechanism), None)

    def consumer(self, mechanism: str) -> Container:
        """The consumer that Compose made.

        :raises LabError: the pair does not run
        :raises BadInput: there are several
        """
        require_running(self._found, self._lab.project)
        pair = containers.of_pair(self._found, mechanism)
        consumers = [container for container in pair if not container.is_producer]
        if len(consumers) > 1:
            raise BadInput(
                f"{mechanism} has {len(consumers)} consumers, and only a single consumer can be moved",
                hint=f"./lab up {mechanism} starts one consumer again",
            )
        moving = [c for c in pair if c.is_producer and c.running]
        if not moving or not (consumers and (consumers[0].running or self.placed_of(mechanism))):
            raise LabError(f"{mechanism} is not running in {self._lab.project}", hint=f"./lab up {mechanism}")
        return consumers[0]

    def move(self, original: Container, now: Placed | None, placement: Placement) -> None:
        """Create the new container, stop the old one, copy the ledger, start the new one."""
        client = self._lab.client
        if placement is Placement.SECOND_HOST:
            assert self.second_host is not None
            client = self.second_host
        body = placed_container.configuration_of(original, self._producer(original), placement, self._lab.configuration)
        name = f"{self._lab.project}-{moved_consumers.service_of(str(original.mechanism))}-{placement}"
        with _said(f"the consumer of {original.mechanism} cannot be moved to {placement}"):
            made = client.api.create_container_from_config(body, name.replace("_", "-"))
            new = client.containers.get(made["Id"])
            old = now.docker if now else original.docker
            try:
                old.stop(timeout=_GRACE_S)
                _carry(old, new)
                self.plug(original, placement)
                new.start()
            except BaseException:
                stop_and_remove(new)
                self.plug(original, now.placement if now else None)
                old.start()
                raise
            if now:
                stop_and_remove(now.docker)
        self._tell(str(original.mechanism), f"moved the consumer of {original.mechanism} to {placement}")

    def _producer(self, original: Container) -> Container:
        pair = containers.of_pair(self._found, str(original.mechanism))
        return next(container for container in pair if container.is_producer and container.running)

    def put_back(self, now: Placed) -> None:
        """Stop the moved container, copy the ledger back, and start the one that Compose made."""
        service = compose_file.service_of(now.mechanism, "consumer")
        original = next((container for container in self._found if container.service == service), None)
        with _said(f"the consumer of {now.mechanism} cannot be moved back from {now.placement}"):
            now.docker.stop(timeout=_GRACE_S)
            if original and not original.running:  # it runs if the other one was out of reach when somebody said `up`
                _carry(now.docker, original.docker)
                self.plug(original, None)
                original.docker.start()
            stop_and_remove(now.docker)
        self._tell(now.mechanism, f"moved the consumer of {now.mechanism} back from {now.placement}")

    def wait_for_traffic(self, mechanism: str) -> None:
        """Until messages arrive; raises LabError if none do."""
        traffic.wait_for_traffic(self._lab, [mechanism], _MOVES_WITHIN_S)

    def plug(self, original: Container, placement: Placement | None) -> None:
        """Bring the second host into the pair's network, under the name that the producer asks for, or out of it."""
        hosts = [container for container in self._found if container.service == compose_file.SECOND_HOST]
        for name, endpoint in placed_container.pair_networks(original).items():
            network = self._lab.client.networks.get(name)
            members = network.attrs.get("Containers") or {}
            for host in hosts:
                if host.docker.id in members and placement is not Placement.SECOND_HOST:
                    network.disconnect(host.docker)
                if host.docker.id not in members and placement is Placement.SECOND_HOST:
                    network.connect(host.docker, aliases=_aliases(endpoint, original))

    def _tell(self, mechanism: str, what: str) -> None:
        """Prometheus: where to find those whose name the engine's DNS does not know. Grafana: what was done."""
        placed_container.write(self._found, self.find_placed(), self._lab.configuration)
        annotation.note(self._lab.configuration, self._found, "place", [mechanism], what)


def _carry(old: DockerContainer, new: DockerContainer) -> None:
    """The ledger, and what was switched: whatever a stopped container keeps, into one that has not started yet."""
    for name, content in state_files.read(old, _STATE).items():
        state_files.write(new, _STATE, name, content)


def _aliases(endpoint: Mapping[str, Any], original: Container) -> list[str]:
    return [alias for alias in endpoint.get("Aliases") or [] if alias != original.id]


@contextmanager
def _said(what: str) -> Iterator[None]:
    """An engine's refusal becomes one line."""
    try:
        yield
    except (DockerException, requests.RequestException, OSError) as error:
        raise LabError(f"{what}: {one_line(error)}", hint="./lab up moves it back") from error
