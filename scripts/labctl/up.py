"""`./lab up`: everything that is needed, in order, and then what was measured."""

from __future__ import annotations

from collections.abc import Sequence

import docker

from labctl import addresses, compose, containers, namespace_split, pairs, ports, tables
from labctl.compose_plugin import ensure_compose
from labctl.configuration import Configuration
from labctl.diagnosis import not_moving
from labctl.engine import ensure_engine
from labctl.errors import LabError
from labctl.images import ensure_images
from labctl.measurements import measure
from labctl.paths import ROOT
from labctl.progress import say
from labctl.prometheus import Prometheus
from labctl.traffic import wait_for_traffic

_GRAFANA_WITHIN_S = 45
_AFTER_A_FAILURE_S = 10  # Compose has waited already; the pairs it did start move at once


def bring_up(mechanisms: Sequence[str], timeout_s: float) -> None:
    """Start the pairs, wait until each has moved messages, and print what was measured.

    :raises BadInput: a setting or a name is wrong; nothing was started
    :raises LabError: something cannot be set up, or a pair moves nothing within `timeout_s`
    """
    wanted = sorted(set(mechanisms)) or pairs.declared()
    configuration = Configuration.load()
    configuration.check_size(wanted)
    ports.check_free(configuration)

    client = ensure_engine()
    ensure_compose()
    images = ensure_images(client, configuration.values, root=ROOT)
    services = [service for mechanism in wanted for service in pairs.services_of(mechanism)] + ["prometheus"]
    if images.grafana:
        services.append("grafana")
    try:
        compose.start(services, {**configuration.environment(), **images.environment()})
    except LabError as error:
        # What Compose says is about one container; which pairs are concerned, the measurement tells.
        _require_traffic(client, configuration, wanted, min(timeout_s, _AFTER_A_FAILURE_S), error)
        raise
    _heal_split(client, configuration)
    _require_traffic(client, configuration, wanted, timeout_s)

    prometheus = _prometheus(configuration)
    tables.show_pairs(measure(prometheus, wanted))
    found = containers.of_project(client, configuration.project)
    tables.show_lines(["", *addresses.lines(configuration, found, _GRAFANA_WITHIN_S)])


def _require_traffic(
    client: docker.DockerClient,
    configuration: Configuration,
    wanted: Sequence[str],
    timeout_s: float,
    cause: LabError | None = None,
) -> None:
    stuck = wait_for_traffic(client, configuration.project, _prometheus(configuration), wanted, timeout_s)
    if stuck:
        found = containers.of_project(client, configuration.project)
        raise not_moving(stuck, found, timeout_s) from cause


def _heal_split(client: docker.DockerClient, configuration: Configuration) -> None:
    """Bring members that a crashed holder left behind into its new namespace, where there are any."""
    prometheus = _prometheus(configuration)
    if not prometheus.answers():
        return  # it has just been started, and so have the members
    splits = namespace_split.find(prometheus, containers.of_project(client, configuration.project))
    for split in splits:
        say(f"{split}; restarting {split.member.service}")
    namespace_split.heal(splits)


def _prometheus(configuration: Configuration) -> Prometheus:
    return Prometheus(configuration.number("LAB_PROMETHEUS_PORT"))
