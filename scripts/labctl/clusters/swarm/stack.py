"""compose.yaml as a Swarm stack, and the services of the running stack, found by the label of the stack.

`of_model` is pure: the same services, without the keys that a stack refuses, ignores or cannot have.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import docker
from docker.models.services import Service

from ipclab.matrix.placement import Placement
from labctl.config import compose_file

# What the stack does not have of a service, and why. `./lab swarm up` prints it.
DROPPED = {
    "ipc": "a stack ignores it: every task has an IPC namespace of its own",
    "security_opt": "a stack ignores it; the tasks still have no capability",
    "restart": "deploy.restart_policy takes its place",
    "mem_limit": "a stack refuses it; deploy.resources.limits.memory takes its place",
    "pids_limit": "a stack refuses it; deploy.resources.limits.pids takes its place",
    "cpuset": "a stack refuses it",
    "tmpfs": "a mount of type tmpfs takes its place",
    "depends_on": "a stack ignores it; consumers are started before producers instead",
    "healthcheck": "Swarm replaces what is unhealthy: a side without its channel would be started for ever",
    "build": "a stack ignores it; the nodes have the image",
    "dns_opt": "a stack refuses it; the variable RES_OPTIONS takes its place, resolv.conf(5)",
}
KEPT = (
    "image",
    "command",
    "user",
    "init",
    "read_only",
    "cap_drop",
    "stop_grace_period",
    "logging",
    "volumes",
    "networks",
)
_NEIGHBOUR = "probe-shared-network"
_FAR_PROBE = "probe-second-host"
_HEARTBEAT_BYTES = 1 << 20  # compose.yaml's tmpfs


def of_model(
    model: Mapping[str, Any], mechanisms: Sequence[str], home: str, *, matrix: bool
) -> tuple[dict[str, Any], set[str]]:
    """The stack of these pairs, and the keys that were dropped.

    :param model: what `docker compose config --format json` prints
    :param home: the id of the node where consumers and responder run; producers run on any other
    :param matrix: also a responder, a probe beside it and one on another node
    """
    declared = model["services"]
    chosen = {
        name: (declared[name], name.endswith("-consumer")) for m in mechanisms for name in compose_file.services_of(m)
    }
    if matrix:
        chosen[compose_file.RESPONDER] = (declared[compose_file.RESPONDER], True)
        chosen[_NEIGHBOUR] = (declared[_NEIGHBOUR], True)
        role, _, *options = declared[_NEIGHBOUR]["command"]
        chosen[_FAR_PROBE] = ({**declared[_NEIGHBOUR], "command": [role, str(Placement.SECOND_HOST), *options]}, False)
    services = {name: _service(service, home, at_home) for name, (service, at_home) in chosen.items()}
    networks = {network for service in services.values() for network in service["networks"]}
    volumes = {v["source"] for service in services.values() for v in service["volumes"] if v["type"] == "volume"}
    stack = {
        "version": "3.9",
        "services": services,
        "networks": {name: {"driver": "overlay", "internal": True} for name in sorted(networks)},
        "volumes": {name: {} for name in sorted(volumes)},
    }
    return stack, {key for service, _ in chosen.values() for key in service if key in DROPPED}


def _service(service: Mapping[str, Any], home: str, at_home: bool) -> dict[str, Any]:
    kept = {key: service[key] for key in KEPT if service.get(key) is not None}
    # A holder there is none: who compares itself with it would leave.
    kept["environment"] = {key: value for key, value in service["environment"].items() if key != "LAB_HOLDER"}
    if "dns_opt" in service:
        kept["environment"]["RES_OPTIONS"] = " ".join(service["dns_opt"])
    private = {"type": "tmpfs", "target": "/heartbeat", "tmpfs": {"size": _HEARTBEAT_BYTES}}
    kept["volumes"] = [*({k: v[k] for k in ("type", "source", "target")} for v in service.get("volumes", ())), private]
    kept["deploy"] = {
        "replicas": 0,  # so that they are started one by one
        "endpoint_mode": "dnsrr",  # a virtual address needs IPVS, which not every kernel has
        "placement": {"constraints": [f"node.id {'==' if at_home else '!='} {home}"]},
        "resources": {"limits": {"memory": str(service["mem_limit"]), "pids": int(service["pids_limit"])}},
        "restart_policy": {"condition": "any", "delay": "1s"},
    }
    return kept


STACK_LABEL = "com.docker.stack.namespace"


def name_of(project: str) -> str:
    """The stack's name: not the project's, or its volumes would be those of the lab beside it."""
    return f"{project}-swarm"


def services_of(client: docker.DockerClient, project: str) -> dict[str, Service]:
    """The services of the stack, by the name that they have in compose.yaml."""
    stack = name_of(project)
    found = client.services.list(filters={"label": f"{STACK_LABEL}={stack}"})
    return {service.name.removeprefix(f"{stack}_"): service for service in found}
