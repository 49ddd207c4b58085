"""The placements of a probe, and what each one shares with the responder."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

from ipclab.contract.channel import Sharing, Traits


class Placement(StrEnum):
    """One container per placement; they differ in nothing but what they share."""

    SAME_CONTAINER = "same_container"
    SHARED_IPC = "shared_ipc"  # what Docker's `ipc:` shares: the namespace, and the mount of /dev/shm
    IPC_NAMESPACE = "ipc_namespace"  # the same, with a /dev/shm of its own
    SHARED_VOLUME = "shared_volume"
    SHARED_NETWORK = "shared_network"
    SECOND_HOST = "second_host"


class PodPlacement(StrEnum):
    """Where a probe is in a Kubernetes cluster. The containers of a pod share what the pod has."""

    SAME_POD = "same_pod"  # beside the responder: IPC and network namespace, and the pod's volumes
    SAME_NODE = "same_node"  # a pod of its own on the responder's node
    OTHER_NODE = "other_node"


AnyPlacement = Placement | PodPlacement
SHARED: Mapping[AnyPlacement, frozenset[Sharing]] = {
    Placement.SAME_CONTAINER: frozenset(Sharing),
    Placement.SHARED_IPC: frozenset({Sharing.IPC_NAMESPACE, Sharing.DEV_SHM}),
    Placement.IPC_NAMESPACE: frozenset({Sharing.IPC_NAMESPACE}),
    Placement.SHARED_VOLUME: frozenset({Sharing.VOLUME}),
    Placement.SHARED_NETWORK: frozenset({Sharing.NETWORK}),
    Placement.SECOND_HOST: frozenset({Sharing.NETWORK}),
    PodPlacement.SAME_POD: frozenset(Sharing),
    PodPlacement.SAME_NODE: frozenset({Sharing.NETWORK}),
    PodPlacement.OTHER_NODE: frozenset({Sharing.NETWORK}),
}


def named(name: str) -> AnyPlacement:
    """The placement of this name.

    :raises ValueError: there is none
    """
    return PodPlacement(name) if name in set(PodPlacement) else Placement(name)


def reachable(traits: Traits, placement: AnyPlacement) -> bool:
    """The prediction of `Traits.requires` for this placement."""
    return traits.requires <= SHARED[placement]
