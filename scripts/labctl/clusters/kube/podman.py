"""The pods of the lab on two podman nodes: where each goes, and what podman needs to hear in other words.

Podman 4.3 has no medium of an emptyDir, keeps one volume for all pods that call theirs the same, publishes the ports of
every container on the node, and resolves the names of its own node's pods. So a pod is played without its ports, a
volume gets its pod's name, one in memory is a claim with podman's annotations for a tmpfs, and names of the other node
are host aliases. podman-kube-play(1).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from contextlib import suppress
from copy import deepcopy
from pathlib import Path
from typing import Any

import yaml

from labctl.clusters.kube.containers import Manifest
from labctl.clusters.kube.node import NETWORK, TOOLS, Node, run
from labctl.config.json_document import INVALID, has_type
from labctl.engine.machine import this_machine
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.printing import one_line
from labctl.terminal.progress import step

PREFIX = "localhost/"  # the registry that `podman load` names for an image of Docker's that has none
_PLAYED = "manifests.yaml"
_NODES = (1, 2)
_GRACE_S = "3"
_UNMOUNT = ("umount", "--lazy")


class Cluster:
    """The two nodes of a project."""

    def __init__(self, project: str) -> None:
        self.project = project
        self.folder = Path(tempfile.gettempdir()) / f"ipclab-{project}-kube"
        self.nodes = [Node(self.folder, project, number) for number in _NODES]

    @property
    def there(self) -> bool:
        """Whether any of it was made."""
        return self.folder.exists() or any(node.namespace.exists() for node in self.nodes)

    def require_tools(self) -> None:
        """Podman and its parts, and the right to make namespaces.

        :raises BadInput: nothing was changed
        """
        if (system := this_machine().system) != "Linux":
            raise LabError(f"kube up makes network namespaces of Linux, and this is {system}", hint="./lab kube render")
        absent = [name for name in ("podman", "runc", "ip", "nsenter") if shutil.which(name) is None]
        if absent:
            raise BadInput(
                f"kube up without {', '.join(absent)}: expected the programs of the nodes",
                hint=f"apt-get install --no-install-recommends runc iproute2 {' '.join(TOOLS)}",
            )
        if os.geteuid() != 0:
            raise BadInput("kube up as an ordinary user: expected root", hint="a node is a network namespace: sudo")

    def make(self, images: Sequence[str]) -> None:
        """Both nodes, their link and their images.

        :raises LabError: a step fails
        """
        with step("Making two nodes"):
            self.folder.mkdir(mode=0o700)
            for node in self.nodes:
                node.make()
                node.make_network()
            first, second = self.nodes
            first.join(second)
        with step("Bringing the images") as current:
            for image in images:
                current.detail(image)
                _bring(first, image)

    def play(self, manifests: Sequence[Manifest]) -> None:
        """Start the pods one after the other, and remember the manifests.

        :raises LabError: podman refuses one
        """
        pods = [manifest for manifest in manifests if manifest["kind"] == "Pod"]
        claims = {name_of(m): m for m in manifests if m["kind"] in ("PersistentVolumeClaim", "ConfigMap")}
        crossing = {name_of(pod): self.node_of(pod) for pod in pods if self.node_of(pod) is self.nodes[1]}
        crossing |= dict.fromkeys(_named_by(crossing, pods), self.nodes[0])
        addresses = {name: node.address(position) for position, (name, node) in enumerate(sorted(crossing.items()))}
        (self.folder / _PLAYED).write_text(yaml.safe_dump_all(manifests), encoding="utf-8")
        made: set[str] = set()
        with step("Starting pods") as current:
            for pod in pods:
                current.detail(name_of(pod))
                node = self.node_of(pod)
                elsewhere = {name: addresses[name] for name, other in crossing.items() if other is not node}
                documents = [
                    d for d in for_podman(pod, claims, elsewhere) if name_of(d) not in made or d["kind"] == "Pod"
                ]
                made |= {name_of(d) for d in documents if d["kind"] == "PersistentVolumeClaim"}  # once: it is a volume
                fixed = ["--ip", addresses[name_of(pod)]] if name_of(pod) in addresses else []
                text = yaml.safe_dump_all(documents)
                node.podman("kube", "play", "--network", NETWORK, *fixed, "-", standard_input=text)
                self._open_volumes(node, documents)

    def played(self) -> list[Manifest]:
        """What runs.

        :raises LabError: nothing does, or what was remembered of it cannot be read
        """
        file = self.folder / _PLAYED
        try:
            manifests = list(yaml.safe_load_all(file.read_text(encoding="utf-8")))
            for manifest in manifests:
                _require_whole(manifest)
        except OSError as error:
            raise LabError(f"{self.project} has no pods", hint="./lab kube up starts them") from error
        except (yaml.YAMLError, *INVALID) as error:
            raise LabError(f"{file} cannot be read: {one_line(error)}", hint="./lab kube down, then up") from error
        return manifests

    def node_of(self, pod: Manifest) -> Node:
        """What a scheduler would decide: a pod that must not be on the responder's node is on the second one."""
        return self.nodes[1 if "podAntiAffinity" in pod["spec"].get("affinity", {}) else 0]

    def execute(self, pod: Manifest, container: str, command: Sequence[str]) -> str:
        """Run a program in a container; what it printed.

        :raises LabError: it fails
        """
        return self.node_of(pod).podman("exec", f"{name_of(pod)}-{container}", *command)

    def remove(self) -> int:
        """Pods, volumes, networks, images, namespaces, directories; how many pods there were."""
        count = 0
        for node in self.nodes:
            if node.own.exists() and node.namespace.exists():
                with suppress(LabError):
                    count += len(node.podman("pod", "ls", "--quiet").split())
                for words in (("pod", "rm", "--force", "--time", _GRACE_S, "--all"), ("volume", "rm", "--force", "-a")):
                    with suppress(LabError):
                        node.podman(*words)
        _unmount(self.folder)
        for node in self.nodes:
            if node.namespace.exists():
                run(["ip", "netns", "delete", node.name])
        if self.folder.exists():
            shutil.rmtree(self.folder)
        return count

    def _open_volumes(self, node: Node, documents: Sequence[Manifest]) -> None:
        """The mode of a kubelet's emptyDir; podman gives a volume that of the folder in the image."""
        for volume in documents[-1]["spec"]["volumes"]:
            name = volume["name"] if "emptyDir" in volume else volume.get("persistentVolumeClaim", {}).get("claimName")
            folder = node.own / "volumes" / str(name) / "_data"
            if name and folder.is_dir():
                node.inside(["chmod", "0777", str(folder)])  # one in memory is mounted on the node only


def for_podman(pod: Manifest, others: Mapping[str, Manifest], elsewhere: Mapping[str, str]) -> list[Manifest]:
    """The documents of one pod, the pod last, as podman 4.3 plays them.

    :param others: claims and configurations by name
    :param elsewhere: names of pods on the other node to their addresses
    """
    made = deepcopy(pod)
    prefix = name_of(pod)
    documents: list[Manifest] = []
    for volume in made["spec"]["volumes"]:
        name = volume["name"]
        if "persistentVolumeClaim" in volume:
            documents.append(others[volume["persistentVolumeClaim"]["claimName"]])
            continue
        if "configMap" in volume:
            documents.append(others[volume["configMap"]["name"]])
            continue
        volume["name"] = f"{prefix}-{name}"
        if volume["emptyDir"].get("medium") == "Memory":
            documents.append(_tmpfs(volume["name"], volume.pop("emptyDir")))
            volume["persistentVolumeClaim"] = {"claimName": volume["name"]}
    renamed = {volume["name"].removeprefix(f"{prefix}-"): volume["name"] for volume in made["spec"]["volumes"]}
    for container in made["spec"]["containers"]:
        container.pop("ports")  # podman 4.3 would publish them on the node
        for mount in container["volumeMounts"]:
            mount["name"] = renamed[mount["name"]]
    if elsewhere:
        aliases = [{"ip": address, "hostnames": [name]} for name, address in elsewhere.items()]
        made["spec"]["hostAliases"] = aliases
    return [*documents, made]


def _require_whole(manifest: Any) -> None:
    """What the views of the pods read of a manifest.

    :raises KeyError, TypeError, ValueError: something of it is not there, or of another type
    """
    wanted: list[tuple[object, object]] = [(manifest["kind"], str), (manifest["metadata"]["name"], str)]
    if manifest["kind"] == "Pod":
        pod = manifest["spec"]
        wanted += [(pod.get("affinity", {}), Mapping[str, Any]), (pod["containers"], Sequence[Mapping[str, Any]])]
        for container in pod["containers"]:
            wanted += [(container["name"], str), (container["args"], Sequence[str])]
            wanted.append((container["ports"][0]["containerPort"], int))
    for value, kind in wanted:
        if value == "" or not has_type(value, kind):
            raise TypeError(f"{one_line(value)!r} where no such thing belongs")


def name_of(manifest: Manifest) -> str:
    """As its metadata say."""
    return str(manifest["metadata"]["name"])


def _named_by(crossing: Mapping[str, Node], pods: Sequence[Manifest]) -> set[str]:
    """The pods of the first node that those of the second name, or that name them."""
    near: set[str] = set()
    for pod in pods:
        if name_of(pod) in crossing:
            terms = pod["spec"]["affinity"]["podAntiAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]
            near |= {term["labelSelector"]["matchLabels"]["app.kubernetes.io/component"] for term in terms}
    return near


def _tmpfs(name: str, empty: Mapping[str, Any]) -> Manifest:
    size = empty["sizeLimit"].removesuffix("i").lower()
    annotations = {"type": "tmpfs", "device": "tmpfs", "mount-options": f"size={size},mode=0777"}
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {
            "name": name,
            "annotations": {f"volume.podman.io/{key}": value for key, value in annotations.items()},
        },
        "spec": {"accessModes": ["ReadWriteOnce"], "resources": {"requests": {"storage": empty["sizeLimit"]}}},
    }


def _bring(node: Node, image: str) -> None:
    """From Docker's engine, without a registry."""
    with subprocess.Popen(["docker", "save", image], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as saved:
        assert saved.stdout is not None
        assert saved.stderr is not None
        try:
            node.podman("load", standard_input=saved.stdout)
        except LabError as error:
            saved.kill()
            said = saved.stderr.read().decode(errors="replace").strip()
            raise LabError(f"image {image} is not on the nodes: {said or error.message}", hint="./lab up") from error


def _unmount(folder: Path) -> None:
    """What is still mounted below it, the innermost first; what podman has left of an interrupted command."""
    lines = Path("/proc/self/mounts").read_text(encoding="utf-8").splitlines()
    below = [line.split()[1] for line in lines if line.split()[1].startswith(f"{folder}/")]
    for target in reversed(below):
        run([*_UNMOUNT, target])
