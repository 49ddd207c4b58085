"""All manifests of the lab, made from compose.yaml and from what the mechanisms say of themselves.

`of_lab` is pure. A pair is one pod, or two pods without or with a common claim.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any

from ipclab.contract.channel import Sharing
from ipclab.matrix.placement import PodPlacement
from labctl.clusters.kube import containers, page, pods, prometheus
from labctl.clusters.kube.containers import Manifest, Mount, PodContainer
from labctl.config import compose_file
from labctl.config.traits import traits_of

_CHANNEL = "/channel"
_CLAIM_MIB = 64
_LEDGER = "/ledger"
_DEV_SHM = "/dev/shm"
_IN_POD, _ALONE = "probe-shared-volume", "probe-shared-network"  # whose commands the probes have


class Layout(StrEnum):
    """The pods of a pair."""

    TOGETHER = "together"  # both sides are containers of one pod
    APART = "apart"  # a pod each
    CLAIM = "claim"  # a pod each on one node, with one claim for the channel


class DevShm(StrEnum):
    """What the two containers of a pod have at /dev/shm."""

    SHARED = "shared"  # one emptyDir of medium Memory
    OWN = "own"  # an emptyDir each: the IPC namespace alone is shared
    UNSET = "unset"  # no emptyDir: that of the pod, whose size is the runtime's


@dataclass(frozen=True)
class Images:
    """Where the images are."""

    prefix: str  # REGISTRY/, or nothing
    tag: str

    def of(self, service: Mapping[str, Any]) -> str:
        """The image of a service of compose.yaml."""
        return f"{self.prefix}{containers.resolved(service['image'], {'LAB_IMAGE_TAG': self.tag})}"


@dataclass(frozen=True)
class Wanted:
    """What to write manifests of."""

    project: str
    mechanisms: Sequence[str]
    layout: Layout
    images: Images
    values: Mapping[str, str]


def of_lab(wanted: Wanted) -> list[Manifest]:
    """Namespace, pairs, matrix, Prometheus, the page; each pod with its Service, claims before their pods."""
    made = [*of_pairs(wanted), *of_matrix(wanted)]
    observed = [
        *made,
        *prometheus.of_lab(wanted.project, wanted.images.of, pods.metrics_addresses(made)),
        page.of_lab(wanted.project, wanted.images.of, wanted.values),
    ]
    return [pods.namespace(wanted.project), *_with_services(observed)]


def of_pairs(wanted: Wanted) -> list[Manifest]:
    """The pods of the pairs, and their claims."""
    made: list[Manifest] = []
    for mechanism in wanted.mechanisms:
        needs = traits_of(mechanism).requires
        if wanted.layout is Layout.TOGETHER:
            variants = list(DevShm) if Sharing.DEV_SHM in needs else [DevShm.UNSET]
            made += [_together(wanted, mechanism, variant, several=len(variants) > 1) for variant in variants]
        else:
            made += _apart(wanted, mechanism, needs)
    return made


def of_matrix(wanted: Wanted) -> list[Manifest]:
    """The responder with a probe beside it, a probe on its node and a probe on another node."""
    answers = compose_file.RESPONDER
    beside = _probe(wanted, _IN_POD, PodPlacement.SAME_POD, position=1)
    responder = [_with_dev_shm(container) for container in (_container(wanted, answers, answers), beside)]
    near = _probe(wanted, _ALONE, PodPlacement.SAME_NODE)
    far = _probe(wanted, _ALONE, PodPlacement.OTHER_NODE)
    return [
        pods.pod(wanted.project, answers, responder),
        pods.pod(wanted.project, pod_of(PodPlacement.SAME_NODE), [near], near=answers),
        pods.pod(wanted.project, pod_of(PodPlacement.OTHER_NODE), [far], apart_from=answers),
    ]


def pod_of(placement: PodPlacement) -> str:
    """The pod in which the probe of a placement is."""
    return compose_file.RESPONDER if placement is PodPlacement.SAME_POD else f"{_container_of(placement)}"


def _container_of(placement: PodPlacement) -> str:
    return f"probe-{placement.replace('_', '-')}"


def _with_services(manifests: Iterable[Manifest]) -> list[Manifest]:
    made = []
    for manifest in manifests:
        made.append(manifest)
        if manifest["kind"] == "Pod":
            made.append(pods.service_of(manifest))
    return made


def _together(wanted: Wanted, mechanism: str, variant: DevShm, *, several: bool) -> Manifest:
    name = mechanism.replace("_", "-")
    if several and variant is not DevShm.SHARED:
        name += f"-{variant}"
    both = []
    for position, service in enumerate(compose_file.services_of(mechanism)):
        role = service.rpartition("-")[2]
        hosts = dict.fromkeys(_aliases(compose_file.service(compose_file.service_of(mechanism, "consumer"))), name)
        container = _container(wanted, service, role, position=position, hosts=hosts)
        if variant is not DevShm.UNSET:
            container = _with_dev_shm(container, role if variant is DevShm.OWN else "")
        both.append(container)
    return pods.pod(wanted.project, name, both)


def _apart(wanted: Wanted, mechanism: str, needs: frozenset[Sharing]) -> list[Manifest]:
    consumer, producer = compose_file.services_of(mechanism)
    hosts = dict.fromkeys(_aliases(compose_file.service(consumer)), consumer)
    shared = wanted.layout is Layout.CLAIM and Sharing.VOLUME in needs
    made: list[Manifest] = []
    claims: dict[str, str] = {}
    for service in (consumer, producer):
        container = _container(wanted, service, service.rpartition("-")[2], hosts=hosts)
        if Sharing.DEV_SHM in needs:
            container = _with_dev_shm(container)
        if shared and not claims:
            claims = {m.name: m.name for m in container.mounts if m.path == _CHANNEL}
            made += [pods.claim(wanted.project, name, _CLAIM_MIB) for name in claims]
        near = consumer if shared and service == producer else ""
        made.append(pods.pod(wanted.project, service, [container], claims=claims, near=near))
    return made


def _probe(wanted: Wanted, service: str, placement: PodPlacement, *, position: int = 0) -> PodContainer:
    declared = compose_file.service(service)
    role, _, *options = declared["command"]
    command = [role, str(placement), *options]
    return _made(wanted, {**declared, "command": command}, _container_of(placement), position, {})


def _container(
    wanted: Wanted, service: str, name: str, *, position: int = 0, hosts: Mapping[str, str] | None = None
) -> PodContainer:
    declared = compose_file.service(service)
    own = hosts if hosts is not None else dict.fromkeys(_aliases(declared), service)
    return _made(wanted, declared, name, position, own)


def _made(
    wanted: Wanted, service: Mapping[str, Any], name: str, position: int, hosts: Mapping[str, str]
) -> PodContainer:
    image = wanted.images.of(service)
    return containers.of_service(name, service, wanted.values, image=image, position=position, hosts=hosts)


def _aliases(service: Mapping[str, Any]) -> list[str]:
    """The names by which other containers reach it, without the one that every container has."""
    networks: Mapping[str, Mapping[str, Sequence[str]]] = service["networks"]
    return [alias for name, network in networks.items() if name != "metrics" for alias in network.get("aliases", ())]


def _with_dev_shm(container: PodContainer, owner: str = "") -> PodContainer:
    mount = Mount(f"dev-shm-{owner}" if owner else "dev-shm", _DEV_SHM, containers.shm_mib())
    mounted = {"name": mount.name, "mountPath": mount.path}
    manifest = {**container.manifest, "volumeMounts": [*container.manifest["volumeMounts"], mounted]}
    return replace(container, manifest=manifest, mounts=(*container.mounts, mount))
