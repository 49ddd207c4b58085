"""The placements of a probe, and what each one shares with the responder."""

from __future__ import annotations

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


SHARED = {
    Placement.SAME_CONTAINER: frozenset(Sharing),
    Placement.SHARED_IPC: frozenset({Sharing.IPC_NAMESPACE, Sharing.DEV_SHM}),
    Placement.IPC_NAMESPACE: frozenset({Sharing.IPC_NAMESPACE}),
    Placement.SHARED_VOLUME: frozenset({Sharing.VOLUME}),
    Placement.SHARED_NETWORK: frozenset({Sharing.NETWORK}),
    Placement.SECOND_HOST: frozenset({Sharing.NETWORK}),
}


def reachable(traits: Traits, placement: Placement) -> bool:
    """The prediction of `Traits.requires` for this placement."""
    return traits.requires <= SHARED[placement]
