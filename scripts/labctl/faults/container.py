"""The container that a running fault is: it shares what the pair shares, shows the fault, and bears its record.

The record is in the labels, which the engine keeps as long as the container. So a fault is known to every clone and to
every later command, also after a restart of this machine, and `./lab down` removes it with the lab. See
docs/decisions/0062-end-of-a-fault.md.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

import docker
import requests
from docker.errors import APIError, DockerException, NotFound
from docker.models.containers import Container as DockerContainer
from docker.types import EndpointConfig

from ipclab import mechanisms
from labctl.config import compose_file
from labctl.config.compose_file import of_every_container
from labctl.config.json_document import INVALID, has_type, made_of
from labctl.faults.fault import Fault, Scope, Target
from labctl.lab.containers import Container, one_off_labels
from labctl.lab.lab import Lab
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.printing import one_line
from labctl.terminal.signals import held_back

LABEL = "ipclab.fault"
RECORD_LABEL = "ipclab.fault.record"
_CHANNEL = "/channel"
_METRICS_ALIAS = "exporter"
_NUMBER = 1
_CONFLICT = 409


@dataclass(frozen=True)
class Record:
    """What is written on the container of a fault."""

    mechanism: str  # "" for a fault of the lab
    strength: int
    for_s: float
    before: Mapping[str, Any]


def make(lab: Lab, fault: Fault, at: Target, record: Record) -> DockerContainer:
    """Create the container and start it.

    :raises BadInput: the same fault runs there already
    :raises LabError: the engine refuses
    """
    name = "-".join(word for word in (lab.project, "fault", fault.name, at.mechanism.replace("_", "-")) if word)
    model = at.holder if fault.scope is Scope.LAB else at.producer
    networks = model.docker.attrs["NetworkSettings"]["Networks"]
    metrics = next(n for n, endpoint in networks.items() if _METRICS_ALIAS in (endpoint.get("Aliases") or []))
    command = ["fault", fault.name, *([at.mechanism, *at.address] if at.mechanism else [])]
    options: dict[str, Any] = {
        **of_every_container(),
        # The kernel's objects of a pair are for their own user alone, and that is LAB_UID.
        "user": model.docker.attrs["Config"]["User"],
        "restart_policy": {"Name": "unless-stopped"},
        "ipc_mode": _ipc_mode(at, model),
        "volumes": _channel_of(model),
        **fault.options(at),
    }
    try:
        made: DockerContainer = lab.client.containers.create(
            lab.configuration.lab_image,
            [*command, *fault.arguments(at)],
            name=name,
            labels={
                **one_off_labels(lab.project, f"fault-{fault.name}", _NUMBER),
                LABEL: fault.name,
                RECORD_LABEL: json.dumps(asdict(record)),
            },
            network=metrics,
            networking_config={metrics: EndpointConfig(lab.client.api.api_version, aliases=[_METRICS_ALIAS])},
            **options,
        )
    except APIError as error:
        if error.status_code == _CONFLICT:
            raise BadInput(f"{fault.name} is on there already", hint=f"./lab fault stop {fault.name}") from error
        raise LabError(f"{fault.name} cannot be started: {one_line(error)}", hint="./lab doctor") from error
    try:
        for network in networks:
            if network != metrics:
                lab.client.networks.get(network).connect(made)
        made.start()
        made.reload()
    except BaseException as error:
        remove(made)
        if isinstance(error, (DockerException, requests.RequestException)):
            raise LabError(f"{fault.name} cannot be started: {one_line(error)}", hint="./lab doctor") from error
        raise
    return made


def remove(container: DockerContainer) -> None:
    """Take it away; one that is gone is no error, and Ctrl-C waits."""
    with held_back(), suppress(NotFound):
        container.remove(v=True, force=True)


def listed(client: docker.DockerClient, project: str) -> list[DockerContainer]:
    """Those of the project, in any state, oldest first."""
    wanted = {"label": [f"com.docker.compose.project={project}", LABEL]}
    found: list[DockerContainer] = client.containers.list(all=True, filters=wanted, sparse=True)
    return sorted(found, key=lambda container: str(container.attrs["Created"]))


def record_of(fault: Fault, container: DockerContainer) -> Record:
    """What was written on it.

    :raises LabError: another version of the lab wrote it, or another hand
    """
    try:
        record = made_of(Record, json.loads(container.labels[RECORD_LABEL]))
        if record.mechanism not in ("", *mechanisms.names()):
            raise ValueError(f"no mechanism {record.mechanism!r}")
        for name, kind in fault.keeps:
            if not has_type(record.before.get(name), kind):
                raise TypeError(f"before.{name} is {type(record.before.get(name)).__name__}")
    except INVALID as error:
        raise LabError(
            f"the record of {fault.name} on {container.name} cannot be read: {one_line(error)}",
            hint=f"docker rm -f {container.name}, then ./lab reset; or ./lab down",
        ) from error
    return record


def in_network_of(lab: Lab, other: Container, action: str, text: str = "") -> None:
    """One action of `ipclab.pair.harm` in the network namespace of another container, with the right to change it.

    :raises LabError: it failed
    """
    command = ["fault-act", action, f"--text={text}"]
    options = {**of_every_container(), "log_config": None}
    container: DockerContainer | None = None
    try:
        with held_back():  # the engine may have made what is not known here yet
            container = lab.client.containers.create(
                lab.configuration.lab_image,
                command,
                network_mode=f"container:{other.docker.id}",
                user="0:0",
                cap_add=["NET_ADMIN"],
                labels=one_off_labels(lab.project, "fault-helper", _NUMBER),
                **{name: value for name, value in options.items() if value is not None},
            )
        container.start()
        code = int(container.wait(timeout=60)["StatusCode"])
        said = container.logs().decode(errors="replace") if code else ""
    except (DockerException, requests.RequestException) as error:
        raise LabError(f"{action} at {other.label} failed: {one_line(error)}", hint="./lab doctor") from error
    finally:
        if container is not None:
            remove(container)
    if code:
        raise LabError(f"{action} at {other.label} failed: {one_line(said)}", hint="./lab doctor")


def _ipc_mode(at: Target, model: Container) -> str:
    if at.mechanism == "" or (model.joins_ipc_of and compose_file.service(model.service).get("ipc")):
        return f"container:{at.holder.docker.id}"
    return "private"


def _channel_of(model: Container) -> dict[str, dict[str, str]]:
    """The volume that the pair shares, where it shares one: it has a name there."""
    if not (compose_file.service(model.service).get("volumes")):
        return {}
    return {
        mount["Name"]: {"bind": _CHANNEL, "mode": "rw"}
        for mount in model.docker.attrs["Mounts"]
        if mount["Destination"] == _CHANNEL and mount.get("Name")
    }
