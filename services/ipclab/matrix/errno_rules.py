"""The rules behind the errnos: one sentence per kind of sharing and errno, with its source."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from ipclab.contract.channel import Sharing, Traits
from ipclab.contract.errors import FULL, NO_ANSWER, NOT_READY, NOT_TOLD, WRONG_ANSWER

_IPC, _SHM, _VOLUME, _NETWORK = Sharing.IPC_NAMESPACE, Sharing.DEV_SHM, Sharing.VOLUME, Sharing.NETWORK


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule of the kernel."""

    sentence: str
    source: str


_RULES = {
    (_IPC, "ENOENT"): Reason(
        "A System V key and a POSIX queue's name are looked up in the caller's IPC namespace; it has no such object.",
        "ipc_namespaces(7)",
    ),
    (_SHM, "ENOENT"): Reason(
        "A POSIX segment or semaphore is a file below /dev/shm; another file system is mounted there for the caller.",
        "shm_overview(7), mount_namespaces(7)",
    ),
    (_VOLUME, "ENOENT"): Reason(
        "A path is looked up in the caller's mount namespace; the volume that holds the file is not mounted there.",
        "mount_namespaces(7), path_resolution(7)",
    ),
    (_NETWORK, "EHOSTUNREACH"): Reason(
        "A route to that address exists, and no machine on that link has the address.", "connect(2), arp(7)"
    ),
    (_NETWORK, "ETIMEDOUT"): Reason(
        "A route to that address exists, and no answer came: Docker's firewall rules drop packets from one of its "
        "internal networks to another.",
        "connect(2), tcp(7), iptables(8)",
    ),
    (_NETWORK, NO_ANSWER): Reason(
        "No system call failed: a datagram was sent to that address, and neither an answer nor an error came. "
        "Docker's firewall rules drop packets from one of its internal networks to another.",
        "udp(7), iptables(8)",
    ),
    (_NETWORK, "EAI_AGAIN"): Reason(
        "No system call failed: the resolver found no address for the name.", "getaddrinfo(3)"
    ),
    (_NETWORK, "EAI_NONAME"): Reason("No system call failed: the name has no address.", "getaddrinfo(3)"),
    (_NETWORK, NOT_TOLD): Reason(
        "No system call was made: the responder has not said yet on which address it listens.",
        "ipclab.matrix.told_address",
    ),
    (_NETWORK, "ENETUNREACH"): Reason(
        "The caller's network namespace has no route to that address.",
        "connect(2), network_namespaces(7)",
    ),
    (None, "EACCES"): Reason(
        "The object exists, and its mode admits only the user that created it; or the user is the same, "
        "and SELinux denies access to the label of this container (ausearch -m AVC).",
        "svipc(7), mq_overview(7), path_resolution(7), selinux(8)",
    ),
    (None, "ENODEV"): Reason("The file exists, and its filesystem has no shared mappings.", "mmap(2)"),
    (None, "ECONNREFUSED"): Reason("The address or name exists, and no process listens on it.", "connect(2)"),
    (None, "ENXIO"): Reason("The FIFO exists, and no process has it open for reading.", "fifo(7)"),
    (None, "EAGAIN"): Reason(
        "The channel exists and had no room, or another probe held it all the time.",
        "flock(2), ipclab.matrix.request_lock",
    ),
    (None, FULL): Reason(
        "No system call failed: the ring is full, and its receiver takes nothing from it.",
        "ipclab.building_blocks.ring_channel",
    ),
    (None, NOT_READY): Reason(
        "No system call failed: the object exists, and its owner has not set up a channel in it yet.",
        "ipclab.contract.errors",
    ),
    (None, NO_ANSWER): Reason("No system call failed: the channel exists, and no answer came.", "ipclab.matrix.probe"),
    (None, WRONG_ANSWER): Reason(
        "No system call failed: the answer does not match the request.", "ipclab.matrix.probe"
    ),
}


def reason(traits: Traits, error: str) -> Reason:
    """The rule behind `error`, as a probe says it, of a mechanism with these traits."""
    for needed in (*sorted(traits.requires), None):
        if (needed, error) in _RULES:
            return _RULES[needed, error]
    return Reason(f"{meaning(error)}: no rule of sharing explains this one.", "errno(3)")


def meaning(error: str) -> str:
    """What strerror(3) says of the name of an errno; other words are what they are."""
    code = getattr(errno, error, 0)
    return os.strerror(code) if code else error
