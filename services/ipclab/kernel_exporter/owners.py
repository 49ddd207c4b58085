"""The owners of kernel objects: the pair, the responder or the probe to which a key or a name belongs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Self

import click

from ipclab import mechanisms
from ipclab.building_blocks.kernel_objects import object_name
from ipclab.contract.channel import Address, Kind
from ipclab.kernel_exporter.sysv import Queue, Segment, SemaphoreSet, SysvObject
from ipclab.matrix import responder
from ipclab.matrix.request_reply import reply_address
from ipclab.metrics.definitions import Role

# How far an object's key may be from its pair's: see `ipclab.mechanisms.sysv_shm`.
_NEAR = {Queue: (0,), Segment: (0, 1, -1), SemaphoreSet: (0, 1, 2, -1, -2)}


@dataclass(frozen=True, slots=True)
class Owners:
    """Mechanism to the System V key, and to the path, that `--key` and `--path` give its pair."""

    keys: Mapping[str, int] = field(default_factory=dict)
    paths: Mapping[str, str] = field(default_factory=dict)

    def of_sysv(self, kernel_object: SysvObject) -> str:
        """The mechanism, "" for an object that is none of the lab's.

        Queues have the pair's key. Segments and semaphores have it or one near it: `sysv_shm` has two segments
        and three semaphores.
        """
        carries = Kind.MESSAGE if isinstance(kernel_object, Queue) else Kind.SHARED_MEMORY
        near = next(distances for kind, distances in _NEAR.items() if isinstance(kernel_object, kind))
        keys = {key: name for name, key in self.keys.items() if _kind(name) is carries}
        return next(
            (keys[kernel_object.key - distance] for distance in near if kernel_object.key - distance in keys), ""
        )

    def of_name(self, name: str) -> str:
        """The mechanism, "" for an object that is none of the lab's. A semaphore's name adds a word to the pair's."""
        for mechanism, path in self.paths.items():
            own = object_name(Address(path=Path(path)))
            if name == own or name.startswith(f"{own}."):
                return mechanism
        return ""


@cache
def _kind(mechanism: str) -> Kind:
    return mechanisms.load(mechanism).traits.kind


class OwnerOption(click.ParamType[tuple[str, Any]]):
    """MECHANISM=VALUE, checked on both sides of the sign."""

    name = "mechanism=value"

    def __init__(self, of: click.ParamType[Any]) -> None:
        self._of = of

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, Any]:
        mechanism, sign, text = str(value).partition("=")
        if mechanism not in mechanisms.names() or not sign or not text:
            known = ", ".join(mechanisms.names())
            self.fail(f"invalid {value!r}: expected MECHANISM=VALUE with one of {known}", param, ctx)
        return mechanism, self._of.convert(text, param, ctx)


@dataclass(frozen=True, slots=True)
class EchoOwners:
    """The owners by the addresses of the responder; without a responder no object has an owner."""

    answers: Owners = field(default_factory=Owners)
    replies: Owners = field(default_factory=Owners)

    @classmethod
    def of_responder(cls, base: Address) -> Self:
        """The echo endpoints below `base`, and beside each the channel by which a probe hears the reply."""
        endpoints = responder.addresses(base)
        return cls(_owners(endpoints), _owners({name: reply_address(it) for name, it in endpoints.items()}))

    def of_sysv(self, kernel_object: SysvObject) -> str:
        """The role that owns the object, "" for an object outside the matrix."""
        # Answers first: a reply's keys follow theirs, and an owner is asked for what is just before its own, too.
        if self.answers.of_sysv(kernel_object):
            return Role.RESPONDER
        return Role.PROBE if self.replies.of_sysv(kernel_object) else ""

    def of_name(self, name: str) -> str:
        """The same for a POSIX object."""
        # Replies first: their names begin like the others.
        if self.replies.of_name(name):
            return Role.PROBE
        return Role.RESPONDER if self.answers.of_name(name) else ""


def _owners(addresses: Mapping[str, Address]) -> Owners:
    return Owners({n: it.key for n, it in addresses.items()}, {n: str(it.path) for n, it in addresses.items()})
