"""Prometheus in a pod. Its targets are the names of the pods' Services, so it needs no rights in the cluster."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import yaml

from labctl.clusters.kube import containers, pods
from labctl.clusters.kube.containers import Manifest, Mount, PodContainer
from labctl.config import compose_file
from labctl.config.paths import ROOT

NAME = "prometheus"
PORT = 9090
_IN_IMAGE = "/etc/prometheus"
_CONFIGURED = "/etc/prometheus-pods"
_FILE = "prometheus.yml"
_STORAGE_MIB = 320  # compose.yaml's storage.tsdb.retention.size, and the log of what is not stored yet
_SOURCE = ROOT / "services" / "prometheus" / _FILE


def of_lab(project: str, image_of: Callable[[Mapping[str, Any]], str], targets: Sequence[str]) -> list[Manifest]:
    """Its configuration and its pod.

    :param targets: HOST:PORT of every metrics page
    """
    service = compose_file.service(NAME)
    user = int(service["user"].partition(":")[0])
    config_map = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": NAME, "namespace": pods.dns_label(project), "labels": pods.labels(project, NAME)},
        "data": {_FILE: yaml.safe_dump(configuration(targets), sort_keys=False)},
    }
    arguments = [str(word) for word in service["command"] if not word.startswith("--config.file=")]
    manifest: Manifest = {
        "name": NAME,
        "image": image_of(service),
        "imagePullPolicy": "IfNotPresent",
        "args": [f"--config.file={_CONFIGURED}/{_FILE}", *arguments],
        "ports": [{"name": "web", "containerPort": PORT}],
        "securityContext": containers.restricted(),
        "resources": containers.resources(containers.mebibytes(service["mem_limit"])),
        "readinessProbe": {"httpGet": {"path": "/-/ready", "port": PORT}, "periodSeconds": 10},
        "volumeMounts": [
            {"name": "storage", "mountPath": "/prometheus"},
            {"name": "configuration", "mountPath": _CONFIGURED, "readOnly": True},
        ],
    }
    container = PodContainer(manifest, (Mount("storage", "/prometheus", disk_mib=_STORAGE_MIB),))
    configured = {"name": "configuration", "configMap": {"name": NAME}}
    return [config_map, pods.pod(project, NAME, [container], user=user, extra_volumes=[configured])]


def configuration(targets: Sequence[str]) -> dict[str, Any]:
    """services/prometheus/prometheus.yml, with the pods in the place of Docker's names."""
    found: dict[str, Any] = yaml.safe_load(_SOURCE.read_text(encoding="utf-8"))
    found["rule_files"] = [f"{_IN_IMAGE}/{name}" for name in found["rule_files"]]
    found["scrape_configs"] = [{"job_name": "lab", "static_configs": [{"targets": list(targets)}]}]
    return found
