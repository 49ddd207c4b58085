"""A split IPC namespace: a member that stayed behind in the old one when its holder came back with a new one.

The engine calls such a container running and healthy; only the inodes of the namespaces tell.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from labctl.lab.containers import Container
from labctl.lab.prometheus import Prometheus


@dataclass(frozen=True)
class Split:
    """One member in another IPC namespace than the container it was to join."""

    member: Container
    inode: str
    holder_service: str
    holder_inode: str

    def __str__(self) -> str:
        return (
            f"{self.member.service} is in IPC namespace {self.inode}, "
            f"{self.holder_service} in {self.holder_inode}: they cannot see each other's objects"
        )


def find(prometheus: Prometheus, containers: Sequence[Container]) -> list[Split]:
    """The running members whose inode differs from their holder's, both as they show them themselves."""
    samples = prometheus.query("ipc_namespace_info")
    inodes = {sample.labels["container"]: sample.labels["ipc"] for sample in samples}
    by_id = {container.id: container for container in containers}
    return [
        Split(member, inodes[member.id], by_id[holder].service, inodes[holder])
        for member in containers
        if (holder := member.joins_ipc_of) in by_id
        and holder in inodes
        and member.id in inodes
        and member.running
        and inodes[member.id] != inodes[holder]
    ]


def heal(splits: Sequence[Split]) -> None:
    """Restart the members left behind: a container joins the namespace its holder is in when it starts."""
    for split in splits:  # one at a time, see down.py
        split.member.docker.restart(timeout=3)
