"""Why the kernel says no: one sentence per kind of sharing and errno, and where the rule is written."""

from __future__ import annotations

import errno
import os
from dataclasses import dataclass

from ipclab.contract.channel import Sharing, Traits

_IPC, _VOLUME, _NETWORK = Sharing.IPC_NAMESPACE, Sharing.VOLUME, Sharing.NETWORK


@dataclass(frozen=True, slots=True)
class Reason:
    """A rule of the kernel."""

    sentence: str
    source: str


_RULES = {
    (_IPC, "ENOENT"): Reason(
        "A System V key or a POSIX name is looked up in the caller's IPC namespace; this one has no such object.",
        "ipc_namespaces(7)",
    ),
    (_VOLUME, "ENOENT"): Reason(
        "A path is looked up in the caller's mount namespace; the volume that holds the file is not mounted there.",
        "mount_namespaces(7), path_resolution(7)",
    ),
    (_NETWORK, "EHOSTUNREACH"): Reason(
        "A host's name has an address only for those on a network that it is on too; here the resolver found none.",
        "getaddrinfo(3), network_namespaces(7)",
    ),
    (_NETWORK, "ENETUNREACH"): Reason(
        "The caller's network namespace has no route to that address.",
        "connect(2), network_namespaces(7)",
    ),
    (None, "EACCES"): Reason(
        "The object is there, and its mode lets in no other user than the one who made it; or the user is the same, "
        "and SELinux forbids it to the label of this container (ausearch -m AVC).",
        "svipc(7), mq_overview(7), path_resolution(7), selinux(8)",
    ),
    (None, "ENODEV"): Reason("The file is there, and its filesystem has no shared mappings.", "mmap(2)"),
    (None, "ECONNREFUSED"): Reason("The address or name is there, and nobody listens at it.", "connect(2)"),
    (None, "ENXIO"): Reason("The FIFO is there, and nobody reads from it.", "fifo(7)"),
    (None, "ETIMEDOUT"): Reason("The object is there, or may be; nobody answered in time.", "ipclab.matrix.probe"),
    (None, "EBUSY"): Reason(
        "Another probe was asking all the time, and the channel serves one.", "ipclab.matrix.request_lock"
    ),
}


def reason(traits: Traits, error: str) -> Reason:
    """The rule behind `error`, an errno by name, of a mechanism with these traits."""
    for needed in (*sorted(traits.requires), None):
        if (needed, error) in _RULES:
            return _RULES[needed, error]
    code = getattr(errno, error, 0)
    return Reason(f"{os.strerror(code)}: no rule of sharing explains this one.", "errno(3)")
