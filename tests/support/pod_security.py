"""The restricted Pod Security Standard, from its public definition.

https://kubernetes.io/docs/concepts/security/pod-security-standards/: what the baseline forbids, and what the restricted
profile asks for besides.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

_VOLUMES = {
    *("configMap", "csi", "downwardAPI", "emptyDir", "ephemeral", "persistentVolumeClaim", "projected", "secret"),
}
_PROFILES = {"RuntimeDefault", "Localhost"}


def violations(pod: dict[str, Any]) -> list[str]:
    """Each rule that a pod breaks."""
    spec = pod["spec"]
    return [*_of_pod(spec), *(said for container in _containers(spec) for said in _of_container(spec, container))]


def _containers(spec: dict[str, Any]) -> list[dict[str, Any]]:
    return [c for kind in ("initContainers", "containers", "ephemeralContainers") for c in spec.get(kind, ())]


def _of_pod(spec: dict[str, Any]) -> Iterator[str]:
    for name in ("hostNetwork", "hostPID", "hostIPC"):
        if spec.get(name):
            yield f"{name} is true"
    for volume in spec.get("volumes", ()):
        for kind in set(volume) - {"name"} - _VOLUMES:
            yield f"volume {volume['name']} is of {kind}"
    if spec.get("securityContext", {}).get("sysctls"):
        yield "sysctls are set"


def _of_container(spec: dict[str, Any], container: dict[str, Any]) -> Iterator[str]:
    name, of_pod, own = container["name"], spec.get("securityContext", {}), container.get("securityContext", {})
    if own.get("privileged"):
        yield f"{name} is privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield f"{name} may escalate its privileges"
    capabilities = own.get("capabilities", {})
    if "ALL" not in capabilities.get("drop", ()):
        yield f"{name} keeps capabilities"
    if set(capabilities.get("add", ())) - {"NET_BIND_SERVICE"}:
        yield f"{name} adds capabilities"
    if own.get("runAsNonRoot", of_pod.get("runAsNonRoot")) is not True:
        yield f"{name} may be root"
    if own.get("runAsUser", of_pod.get("runAsUser")) == 0:
        yield f"{name} is root"
    if own.get("seccompProfile", of_pod.get("seccompProfile", {})).get("type") not in _PROFILES:
        yield f"{name} has no seccomp profile"
    if own.get("procMount", "Default") != "Default":
        yield f"{name} has another /proc"
    for port in container.get("ports", ()):
        if port.get("hostPort"):
            yield f"{name} takes port {port['hostPort']} of its node"
