"""The page of the lab in a pod. It asks the Prometheus of its namespace."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from labctl.clusters.kube import containers, pods
from labctl.clusters.kube.containers import Manifest, PodContainer
from labctl.config import compose_file

NAME = "page"
_PORT_SETTING = "LAB_PAGE_PORT"


def of_lab(project: str, image_of: Callable[[Mapping[str, Any]], str], values: Mapping[str, str]) -> Manifest:
    """Its pod. It answers under 127.0.0.1:LAB_PAGE_PORT alone, which is where `kubectl port-forward` brings it."""
    service = compose_file.service(NAME)
    user = int(service["user"].partition(":")[0])
    port = int(containers.resolved(service["ports"][0], values).rpartition(":")[2])
    environment = {key: containers.resolved(value, values) for key, value in service["environment"].items()}
    asked_as = {"name": "Host", "value": f"127.0.0.1:{environment[_PORT_SETTING]}"}
    manifest: Manifest = {
        "name": NAME,
        "image": image_of(service),
        "imagePullPolicy": "IfNotPresent",
        "args": [],
        "env": [{"name": key, "value": value} for key, value in environment.items()],
        "ports": [{"name": "web", "containerPort": port}],
        "securityContext": containers.restricted(),
        "resources": containers.resources(containers.mebibytes(service["mem_limit"])),
        "readinessProbe": {
            "httpGet": {"path": "/health", "port": port, "httpHeaders": [asked_as]},
            "periodSeconds": 20,
            "timeoutSeconds": 10,
        },
        "volumeMounts": [],
    }
    return pods.pod(project, NAME, [PodContainer(manifest)], user=user)
