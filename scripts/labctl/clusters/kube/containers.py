"""A Compose service as a container of a pod.

The security context passes the restricted Pod Security Standard:
https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ipclab.metrics import definitions as metrics
from labctl.config import compose_file

Manifest = dict[str, Any]

METRICS_PORT = "LAB_METRICS_PORT"
FIRST_PORT = metrics.PORT
NEXT_PORT = metrics.BENCH_PORT + 1  # of the second container of a pod, which has the network of the first
_CPU_REQUEST = "20m"  # a pair at the default load uses about this
_VARIABLE = re.compile(r"\$\{(\w+)(?::-([^}]*))?\}")
_TMPFS = re.compile(r"(?P<path>[^:]+):size=(?P<size>\d+)m\b.*")


@dataclass(frozen=True)
class Mount:
    """A volume of a pod where a container sees it."""

    name: str
    path: str
    memory_mib: int = 0  # the size of a tmpfs; 0 is a directory on the node's disk
    disk_mib: int = 0  # the size of that directory; 0 is any


@dataclass(frozen=True)
class PodContainer:
    """A container, and the mounts that its pod has volumes for."""

    manifest: Manifest
    mounts: Sequence[Mount] = field(default_factory=tuple)


def resolved(text: Any, values: Mapping[str, str]) -> str:
    """A word of compose.yaml, with the settings in the place of their ${NAME}."""
    return _VARIABLE.sub(lambda found: values.get(found[1]) or found[2] or "", str(text))


def of_service(
    name: str,
    service: Mapping[str, Any],
    values: Mapping[str, str],
    *,
    image: str,
    position: int = 0,
    hosts: Mapping[str, str] | None = None,
) -> PodContainer:
    """The container `name` of a pod.

    :param service: what compose.yaml says of it
    :param values: the settings
    :param position: in its pod, from 0; the first shows its metrics at the usual port
    :param hosts: Compose's names to the names of pods
    """
    names = hosts or {}
    words = [resolved(word, values) for word in service["command"]]
    environment = {key: resolved(value, values) for key, value in service.get("environment", {}).items()}
    environment.pop("LAB_HOLDER", None)  # the pod holds the namespace
    port = FIRST_PORT if position == 0 else NEXT_PORT + position - 1
    if position:
        environment[METRICS_PORT] = str(port)
    if "dns_opt" in service:
        environment["RES_OPTIONS"] = " ".join(service["dns_opt"])  # resolv.conf(5)
    mounts = [*_scratch(name, service), *_volumes(service)]
    if not any(mount.path == "/state" for mount in mounts):
        mounts.append(Mount(f"state-{name}", "/state"))
    memory = mebibytes(resolved(service["mem_limit"], values))
    manifest: Manifest = {
        "name": name,
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "args": [_renamed(word, names) for word in words],
        "env": [{"name": key, "value": value} for key, value in environment.items()],
        "ports": [{"name": f"metrics-{position}", "containerPort": port}],
        "securityContext": restricted(),
        "resources": resources(memory),
        "readinessProbe": _readiness(service),
        "volumeMounts": [{"name": mount.name, "mountPath": mount.path} for mount in mounts],
    }
    return PodContainer(manifest, tuple(mounts))


def restricted() -> Manifest:
    """What a container may do: nothing beyond its own memory and mounts."""
    return {
        "allowPrivilegeEscalation": False,
        "capabilities": {"drop": ["ALL"]},
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "seccompProfile": {"type": "RuntimeDefault"},
    }


def resources(memory_mib: int) -> Manifest:
    """As much memory as Compose gives, and a part of a CPU for the scheduler; no limit of CPU, which would throttle."""
    return {
        "requests": {"cpu": _CPU_REQUEST, "memory": f"{memory_mib}Mi"},
        "limits": {"memory": f"{memory_mib}Mi"},
    }


def mebibytes(text: str) -> int:
    """`96m`, as Compose writes a size."""
    return int(text.removesuffix("m"))


def shm_mib() -> int:
    """The size of /dev/shm that compose.yaml gives to the pairs."""
    return mebibytes(compose_file.service("holder")["shm_size"])


def _renamed(word: str, hosts: Mapping[str, str]) -> str:
    option, equals, value = word.partition("=")
    if equals and value in hosts:
        return f"{option}={hosts[value]}"
    return hosts.get(word, word)


def _scratch(name: str, service: Mapping[str, Any]) -> list[Mount]:
    found = []
    for text in service.get("tmpfs", ()):
        match = _TMPFS.fullmatch(text)
        assert match, f"compose.yaml: a tmpfs of another form: {text}"
        path = match["path"]
        found.append(Mount(f"{path.strip('/').replace('/', '-')}-{name}", path, int(match["size"])))
    return found


def _volumes(service: Mapping[str, Any]) -> list[Mount]:
    pairs = [text.split(":")[:2] for text in service.get("volumes", ())]
    return [Mount(source, target) for source, target in pairs]


def _readiness(service: Mapping[str, Any]) -> Manifest:
    """Compose's health check. No liveness probe: a side without its channel would be started for ever."""
    check = service["healthcheck"]
    assert check["test"][0] == "CMD"
    return {
        "exec": {"command": [str(word) for word in check["test"][1:]]},
        "periodSeconds": int(check["interval"].removesuffix("s")),
        "timeoutSeconds": int(check["timeout"].removesuffix("s")),
        "failureThreshold": int(check["retries"]),
    }
