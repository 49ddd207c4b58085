"""Pods, their volumes and the Services that give them names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from labctl.clusters.kube.containers import Manifest, Mount, PodContainer

# https://kubernetes.io/docs/concepts/overview/working-with-objects/common-labels/
_NAME, _INSTANCE, COMPONENT = (f"app.kubernetes.io/{word}" for word in ("name", "instance", "component"))
_GRACE_S = 3  # compose.yaml's stop_grace_period
USER = 10001  # the lab's, services/Dockerfile
_HOSTNAME = "kubernetes.io/hostname"


def dns_label(project: str) -> str:
    """The namespace of a project: a label of the DNS has no `_`, RFC 1123."""
    return project.replace("_", "-").strip("-")[:63]


def labels(project: str, component: str) -> dict[str, str]:
    """Of an object of the lab."""
    return {_NAME: "ipclab", _INSTANCE: dns_label(project), COMPONENT: component}


def namespace(project: str) -> Manifest:
    """Which admits only what passes the restricted Pod Security Standard."""
    modes = {f"pod-security.kubernetes.io/{mode}": "restricted" for mode in ("enforce", "audit", "warn")}
    return {
        "apiVersion": "v1",
        "kind": "Namespace",
        "metadata": {"name": dns_label(project), "labels": {**labels(project, "namespace"), **modes}},
    }


def pod(
    project: str,
    name: str,
    containers: Sequence[PodContainer],
    *,
    user: int = USER,
    claims: Mapping[str, str] | None = None,
    near: str = "",
    apart_from: str = "",
    extra_volumes: Sequence[Manifest] = (),
) -> Manifest:
    """A pod of its own, without a controller: where it runs is what the lab is about.

    :param claims: volume to the claim that is mounted in its place
    :param near: the pod on whose node it must be
    :param apart_from: the pod on whose node it must not be
    """
    held = claims or {}
    mounts = {mount.name: mount for container in containers for mount in container.mounts}
    spec: Manifest = {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": _GRACE_S,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": user,
            "runAsGroup": user,
            "fsGroup": user,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container.manifest for container in containers],
        "volumes": [*(_volume(mount, held.get(mount.name)) for mount in mounts.values()), *extra_volumes],
    }
    if affinity := _affinity(project, near, apart_from):
        spec["affinity"] = affinity
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "namespace": dns_label(project), "labels": labels(project, name)},
        "spec": spec,
    }


def service_of(manifest: Manifest) -> Manifest:
    """The name of a pod in the DNS. Headless, so that the name has the pod's own address, ready or not."""
    meta = manifest["metadata"]
    ports = [
        {"name": port["name"], "port": port["containerPort"]}
        for container in manifest["spec"]["containers"]
        for port in container["ports"]
    ]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": meta["name"], "namespace": meta["namespace"], "labels": dict(meta["labels"])},
        "spec": {
            "clusterIP": "None",
            "publishNotReadyAddresses": True,
            "selector": dict(meta["labels"]),
            "ports": ports,
        },
    }


def claim(project: str, name: str, mebibytes: int) -> Manifest:
    """A volume that pods of one node share."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": name, "namespace": dns_label(project), "labels": labels(project, name)},
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": f"{mebibytes}Mi"}}},
    }


def metrics_addresses(manifests: Iterable[Manifest]) -> list[str]:
    """HOST:PORT of every metrics page."""
    return [
        f"{manifest['metadata']['name']}:{port['containerPort']}"
        for manifest in manifests
        if manifest["kind"] == "Pod"
        for container in manifest["spec"]["containers"]
        for port in container["ports"]
        if port["name"].startswith("metrics-")
    ]


def _volume(mount: Mount, claim_name: str | None) -> Manifest:
    if claim_name:
        return {"name": mount.name, "persistentVolumeClaim": {"claimName": claim_name}}
    empty: dict[str, Any] = {"medium": "Memory"} if mount.memory_mib else {}
    if size := mount.memory_mib or mount.disk_mib:
        empty["sizeLimit"] = f"{size}Mi"
    return {"name": mount.name, "emptyDir": empty}


def _affinity(project: str, near: str, apart_from: str) -> Manifest:
    found: Manifest = {}
    for kind, other in (("podAffinity", near), ("podAntiAffinity", apart_from)):
        if other:
            term = {"labelSelector": {"matchLabels": labels(project, other)}, "topologyKey": _HOSTNAME}
            found[kind] = {"requiredDuringSchedulingIgnoredDuringExecution": [term]}
    return found
