"""Whose an object in the kernel is that is no pair's: the responder's, or a probe's, which serve the matrix."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ipclab import echo
from ipclab.channel import Address
from ipclab.half_duplex import reply_address
from ipclab.kernel_owners import Owners
from ipclab.kernel_sysv import Queue, Segment, SysvObject
from labctl.containers import Container
from labctl.pairs import RESPONDER

_PROBE = "probe"


@dataclass(frozen=True)
class EchoObjects:
    """What the addresses say; without a responder nothing is anybody's."""

    answers: Owners
    replies: Owners

    @classmethod
    def of(cls, found: Sequence[Container]) -> Self:
        """By the options that the lab's responder was started with."""
        commands = (c.docker.attrs["Config"]["Cmd"] for c in found if c.service == RESPONDER)
        return next((cls.at(_address(command)) for command in commands), cls(Owners(), Owners()))

    @classmethod
    def at(cls, base: Address) -> Self:
        """The echo endpoints below `base`, and beside each the channel by which a probe hears the reply."""
        endpoints = echo.addresses(base)
        return cls(_owners(endpoints), _owners({name: reply_address(it) for name, it in endpoints.items()}))

    def of_segment(self, key: str, name: str) -> str:
        """The owner of shared memory with this key ("0x…") or name, by service; "" for nobody of the matrix."""
        return self._owner(Segment(_number(key), 0, 0, 0, 0), name)

    def of_queue(self, key: str, name: str) -> str:
        """The same for a message queue."""
        return self._owner(Queue(_number(key), 0, 0, 0, 0, None), name)

    def _owner(self, thing: SysvObject, name: str) -> str:
        # Replies first: their names begin like the others.
        for owners, owner in ((self.replies, _PROBE), (self.answers, RESPONDER)):
            if owners.of_name(name) if name else owners.of_sysv(thing):
                return owner
        return ""


def _owners(addresses: Mapping[str, Address]) -> Owners:
    return Owners({n: it.key for n, it in addresses.items()}, {n: str(it.path) for n, it in addresses.items()})


def _address(command: Sequence[str]) -> Address:
    options = dict(zip(command[1::2], command[2::2], strict=False))
    return Address(key=int(options["--key"]), path=Path(options["--path"]))


def _number(key: str) -> int:
    return int(key, 16) if key else 0
