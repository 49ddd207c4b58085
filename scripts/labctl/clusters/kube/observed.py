"""What the containers of a pod say of themselves: their metrics pages, and what they see of the kernel's objects."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from ipclab.matrix.placement import PodPlacement
from labctl.clusters.kube.containers import Manifest
from labctl.clusters.kube.podman import Cluster
from labctl.matrix.cells import Cell, of_pages
from labctl.terminal.errors import LabError

# proc(5): a line for each System V object after the heading; the key is the first field, the id the second.
_SCRIPT = """
import json, os, sys, urllib.request
def names(folder):
    try:
        return sorted(os.listdir(folder))
    except OSError:
        return []
def keys(kind):
    try:
        rows = [line.split() for line in open(f"/proc/sysvipc/{kind}")][1:]
    except OSError:
        return []
    return [f"{kind} {int(row[0]) & 0xffffffff:#010x}" for row in rows]
shm = os.stat("/dev/shm").st_dev
free = os.statvfs("/dev/shm")
print(json.dumps({
    "page": urllib.request.urlopen(f"http://127.0.0.1:{sys.argv[1]}/metrics", timeout=5).read().decode(),
    "ipc_namespace": os.readlink("/proc/self/ns/ipc"),
    "dev_shm": f"{os.major(shm)}:{os.minor(shm)}",
    "dev_shm_bytes": free.f_blocks * free.f_frsize,
    "objects": [*keys("shm"), *keys("sem"), *keys("msg"), *(f"/dev/shm/{n}" for n in names("/dev/shm")),
                *(f"/dev/mqueue/{n}" for n in names("/dev/mqueue"))],
}))
"""
Samples = Sequence[tuple[str, Mapping[str, str], float]]


@dataclass(frozen=True)
class Side:
    """One container, as it sees the world."""

    pod: str
    container: str
    samples: Samples
    ipc_namespace: str  # ipc:[inode]
    dev_shm: str  # the device of the file system at /dev/shm, MAJOR:MINOR
    dev_shm_bytes: int
    objects: Sequence[str]  # System V objects by key, names in /dev/shm and /dev/mqueue

    def total(self, series: str) -> int:
        """The sum of a series."""
        return int(sum(value for name, _, value in self.samples if name == series))

    def errors(self) -> list[str]:
        """The kernel's errors of a producer, the most frequent first."""
        met = [(value, labels["errno"]) for name, labels, value in self.samples if name == "ipc_send_errors_total"]
        return [errno for value, errno in sorted(met, reverse=True) if value]

    def as_json(self) -> dict[str, Any]:
        """Without the samples."""
        return {
            "pod": self.pod,
            "container": self.container,
            "ipc_namespace": self.ipc_namespace,
            "dev_shm": self.dev_shm,
            "dev_shm_bytes": self.dev_shm_bytes,
            "objects": list(self.objects),
        }


def side(cluster: Cluster, pod: Manifest, container: Manifest) -> Side | None:
    """What a container says; None where it does not run or its page does not answer."""
    port = container["ports"][0]["containerPort"]
    try:
        found = json.loads(cluster.execute(pod, container["name"], ["python", "-c", _SCRIPT, str(port)]))
    except LabError:
        return None
    families = text_string_to_metric_families(found.pop("page"))
    samples = [(s.name, dict(s.labels), s.value) for family in families for s in family.samples]
    return Side(pod["metadata"]["name"], container["name"], samples, **found)


def probes(cluster: Cluster, pods: Iterable[Manifest]) -> list[Side]:
    """What the probes say; one that is silent is left out."""
    found = [
        side(cluster, pod, container)
        for pod in pods
        for container in pod["spec"]["containers"]
        if container["args"][:1] == ["probe"]  # the page has no arguments
    ]
    return [probe for probe in found if probe]


def cells(sides: Iterable[Side]) -> list[Cell]:
    """The matrix of the pods."""
    return of_pages((sample for side in sides for sample in side.samples), PodPlacement)
