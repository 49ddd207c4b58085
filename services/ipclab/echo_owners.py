"""Which objects in the kernel are the responder's, and which a probe's, by where the responder is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Self

from ipclab.contract.channel import Address
from ipclab.kernel_owners import Owners
from ipclab.kernel_sysv import SysvObject
from ipclab.matrix import responder
from ipclab.matrix.request_reply import reply_address
from ipclab.metrics.definitions import Role


@dataclass(frozen=True, slots=True)
class EchoOwners:
    """What the addresses say; without a responder nothing is anybody's."""

    answers: Owners = field(default_factory=Owners)
    replies: Owners = field(default_factory=Owners)

    @classmethod
    def at(cls, base: Address) -> Self:
        """The echo endpoints below `base`, and beside each the channel by which a probe hears the reply."""
        endpoints = responder.addresses(base)
        return cls(_owners(endpoints), _owners({name: reply_address(it) for name, it in endpoints.items()}))

    def of_sysv(self, thing: SysvObject) -> str:
        """The role that owns it, "" for nobody of the matrix."""
        # Answers first: a reply's keys follow theirs, and an owner is asked for what is just before its own, too.
        if self.answers.of_sysv(thing):
            return Role.RESPONDER
        return Role.PROBE if self.replies.of_sysv(thing) else ""

    def of_name(self, name: str) -> str:
        """The same for a POSIX object."""
        # Replies first: their names begin like the others.
        if self.replies.of_name(name):
            return Role.PROBE
        return Role.RESPONDER if self.answers.of_name(name) else ""


def _owners(addresses: Mapping[str, Address]) -> Owners:
    return Owners({n: it.key for n, it in addresses.items()}, {n: str(it.path) for n, it in addresses.items()})
