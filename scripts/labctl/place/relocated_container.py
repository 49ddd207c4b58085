"""The container of a moved consumer: that of the pair, except for what it shares with its producer.

Docker's raw configuration is copied from the consumer that Compose made, so the command, the image and the confinement
are the same. The share is the producer's: its IPC namespace, or the volume that is its /channel. The network `metrics`
stays on this engine for Prometheus; at shared_network it is the only share.

Prometheus finds consumers on this engine by the alias that all containers of the lab have. Consumers on the second host
have one address and a port each, which a file lists for Prometheus.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ipclab import mechanisms
from ipclab.contract.channel import Sharing
from ipclab.matrix.placement import SHARED, Placement
from ipclab.metrics import definitions as metrics
from ipclab.runtime.container_facts import PLACEMENT
from labctl.config import compose_file
from labctl.config.configuration import Configuration
from labctl.lab import state_files
from labctl.lab.containers import Container, one_off_labels
from labctl.place import moved_consumers
from labctl.place.moved_consumers import Placed

_CHANNEL = "/channel"
_SHARED_LEDGER = (
    "--shared-ledger"  # what only consumers that share a mailbox need; the ledger has it all where there is one
)
_HOLDER = "LAB_HOLDER="
_OWN_DEV_SHM = {"/dev/shm": "size=64m,mode=1777"}
_CONFINED = ("Init", "ReadonlyRootfs", "CapDrop", "SecurityOpt", "Tmpfs", "RestartPolicy", "LogConfig")
# On the second host too: what bounds the container that its engine is in does not bound those that the engine starts.
_BOUNDED = ("Memory", "MemorySwap", "PidsLimit", "CpusetCpus")


def configuration_of(
    original: Container, producer: Container, placement: Placement, configuration: Configuration
) -> dict[str, Any]:
    """The body of the engine's "create a container" for the consumer of a pair at `placement`."""
    attributes = original.docker.attrs
    config, host = attributes["Config"], attributes["HostConfig"]
    mechanism = str(original.mechanism)
    there = placement is Placement.SECOND_HOST
    command = _without_shared_ledger(config["Cmd"])
    if there:
        command += ["--metrics-port", str(metrics_port(mechanism, configuration))]
    number = 1
    labels = moved_consumers.labels(configuration.project, mechanism, placement)
    if not there:
        labels |= one_off_labels(configuration.project, moved_consumers.service_of(mechanism), number)
    body: dict[str, Any] = {
        "Image": config["Image"],
        "Cmd": command,
        "Env": [*(line for line in config["Env"] if not line.startswith(_HOLDER)), f"{PLACEMENT}={placement}"],
        "User": config["User"],
        "Healthcheck": config.get("Healthcheck"),
        "Labels": labels,
        "HostConfig": {name: host[name] for name in (*_CONFINED, *_BOUNDED) if name in host},
    }
    body["HostConfig"]["IpcMode"] = "private"
    if Sharing.IPC_NAMESPACE in SHARED[placement]:
        body["HostConfig"]["IpcMode"] = f"container:{producer.docker.id}"
        if (
            Sharing.DEV_SHM not in SHARED[placement]
        ):  # which `ipc:` brings along, unless something else is mounted there
            body["HostConfig"]["Tmpfs"] = {**host.get("Tmpfs", {}), **_OWN_DEV_SHM}
    if Sharing.VOLUME in SHARED[placement]:  # else the image's own, which is empty
        body["HostConfig"]["Binds"] = [f"{_channel_of(producer)}:{_CHANNEL}"]
    if there:
        body["HostConfig"]["NetworkMode"] = "host"
    else:
        metrics = _metrics_network(attributes["NetworkSettings"]["Networks"])
        body["HostConfig"]["NetworkMode"] = metrics
        body["NetworkingConfig"] = {"EndpointsConfig": {metrics: {"Aliases": ["exporter"]}}}
    return body


def metrics_port(mechanism: str, configuration: Configuration) -> int:
    """The port of /metrics on the second host, where all containers share one network."""
    taken = {metrics.PORT, *configuration.ports_of_pairs()}
    names = mechanisms.names()
    free = [port for port in range(metrics.PORT, metrics.PORT + len(names) + len(taken)) if port not in taken]
    return free[names.index(mechanism)]


def pair_networks(original: Container) -> Mapping[str, Any]:
    """The networks that the pair has for itself, by name."""
    networks: Mapping[str, Any] = original.docker.attrs["NetworkSettings"]["Networks"]
    metrics = _metrics_network(networks)
    return {name: endpoint for name, endpoint in networks.items() if name != metrics}


def _metrics_network(networks: Mapping[str, Any]) -> str:
    return next(name for name, endpoint in networks.items() if "exporter" in (endpoint.get("Aliases") or []))


def _without_shared_ledger(command: Sequence[str]) -> list[str]:
    kept = list(command)
    if _SHARED_LEDGER in kept:
        at = kept.index(_SHARED_LEDGER)
        del kept[at : at + 2]
    return kept


def _channel_of(producer: Container) -> str:
    mounts = producer.docker.attrs["Mounts"]
    return str(next(mount["Name"] for mount in mounts if mount["Destination"] == _CHANNEL))


_DIRECTORY, _FILE = "/prometheus", "placed.json"  # as services/prometheus/prometheus.yml has it


def write(found: Iterable[Container], placed: Sequence[Placed], configuration: Configuration) -> None:
    """Replace the file that Prometheus watches; it is on a volume that goes with the lab."""
    content = json.dumps(
        targets([it.mechanism for it in placed if it.placement is Placement.SECOND_HOST], configuration)
    )
    for container in found:
        if container.service == "prometheus":
            state_files.write(container.docker, _DIRECTORY, _FILE, content.encode())


def targets(mechanisms: Sequence[str], configuration: Configuration) -> list[dict[str, list[str]]]:
    """The content of the file (prometheus.io/docs, file_sd_config)."""
    ports = [metrics_port(mechanism, configuration) for mechanism in mechanisms]
    return [{"targets": [f"{compose_file.SECOND_HOST}:{port}" for port in ports]}]
