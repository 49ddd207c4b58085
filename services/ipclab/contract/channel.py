"""The contract between the loops and the mechanisms.

A *mechanism* moves messages between one process and another. A *channel* is one instance of it, found
by an *address* that both sides know. It has two endpoints:

- The **receiver** makes the kernel object, or adopts the one that an earlier receiver left behind with
  whatever is still queued in it. A leftover that cannot be adopted is replaced. `close()` lets go of
  the object and leaves it where the kernel keeps it; `remove()` also takes it away.
- The **sender** only opens a present object and never creates one. Two sides that cannot see each other get
  `PeerAbsent`.

What every implementation promises:

1. A message is delivered whole and with its borders, or not at all. Bytes that are no message raise
   `TornMessage`; they are never handed out.
2. `send` returns once the message is the channel's: queued, written, or mapped. Until then it blocks,
   for `timeout_s` at the longest, and raises `ChannelFull`. A message of which the kernel has already
   taken a part belongs to the channel, which finishes it before the next.
3. `receive_into` fills the caller's buffer and returns the length; it blocks for `timeout_s` at the
   longest and raises `ReceiveTimeout`.
4. When the peer dies, the survivor gets `PeerGone` or goes on waiting; it never hangs beyond its
   timeout. A receiver outlives its senders: the next one can open the same channel. When the channel
   loses its name, its sender says so (`FoundByName`), and its receiver gets `PeerGone` once nothing comes.
5. Every failure is a `ChannelError` that carries the errno which a system call returned, by name, or a plain word
   where none failed (`ipclab.contract.errors`). No other exception leaves a mechanism, whatever the kernel or the
   peer does.
6. What the mechanism guarantees beyond that (order, reliability, limits) is what its `Traits` say, and
   the conformance suite asserts what they say.

Endpoints belong to one thread, the process's main thread: a System V queue has no timed receive, and
the signal that stands in for it reaches the main thread only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from types import TracebackType
from typing import Any, Generic, Protocol, Self, TypeVar


class Kind(StrEnum):
    """The unit that the kernel carries."""

    BYTE_STREAM = "byte stream"
    MESSAGE = "message"
    SHARED_MEMORY = "shared memory"


class OnFull(StrEnum):
    """The fate of a message for which there is no room."""

    BLOCK = "block"
    DROP = "drop"


class Persistence(StrEnum):
    """The lifetime of a channel and its content."""

    PROCESS = "process"
    KERNEL = "kernel"
    FILESYSTEM = "filesystem"


class Direction(StrEnum):
    """The directions of messages on one channel."""

    ONE_WAY = "one way"
    TWO_WAY = "two way"


class Communication(StrEnum):
    """The destination of a message: one peer, or a mailbox of many senders and receivers."""

    DIRECT = "direct"
    INDIRECT = "indirect"


class Wait(StrEnum):
    """How an endpoint waits."""

    BLOCK = "block"  # sleeps in the kernel until it is woken
    POLL = "poll"  # checks, sleeps a little, checks again: no process wakes it
    SPIN = "spin"  # checks without a pause, and keeps its CPU busy


class Sharing(StrEnum):
    """The things that two containers must share; the values are the words of `compose.yaml`.

    Docker's `ipc:` shares two things at once: the IPC namespace, which has the System V objects and the POSIX message
    queues, and the file system mounted at /dev/shm, which has POSIX shared memory and named semaphores.
    """

    IPC_NAMESPACE = "ipc namespace"
    DEV_SHM = "/dev/shm"
    VOLUME = "volume"
    NETWORK = "network"


class Switch(StrEnum):
    """A part of a mechanism that can be switched off, to show its purpose."""

    RACE_LOCK = "race_lock"  # the lock around words that both sides change: see ipclab.pair.race
    APPEND_LOCK = "append_lock"  # flock(2) around an append
    FSYNC = "fsync"  # every message is on the disk before `send` returns

    @property
    def metric_label(self) -> str:
        """The value of the label `switch` of ipc_switch_on, which recorded series have."""
        return {Switch.RACE_LOCK: "sync", Switch.APPEND_LOCK: "lock"}.get(self, str(self))


T = TypeVar("T")
LARGE_BYTES = (
    1 << 14
)  # a byte stream of the lab spares the copies of its own from here on: see ipclab.building_blocks.scatter


class Whose(StrEnum):
    """The scope of a fact: every program, or a program that uses the kernel as the lab does."""

    KERNEL = "kernel"
    LAB = "lab"


@dataclass(frozen=True, slots=True)
class Fact(Generic[T]):
    """One fact about a channel of the lab, and where it is written.

    `source` is a man page with its section, or "ipclab.…" where the lab decides. The lab may use less than the kernel
    offers, or add what the kernel lacks: then `kernel` says in words what the kernel alone gives.
    """

    value: T
    source: str
    kernel: str = ""

    @property
    def of(self) -> Whose:
        """The scope of the fact."""
        return Whose.LAB if self.kernel else Whose.KERNEL


class Stated(Generic[T]):
    """A field of `Traits`: it is given as a `Fact`, and reads as the fact's value. `Traits.fact` has the whole."""

    def __set_name__(self, owner: type, name: str) -> None:
        del owner
        self._name = name

    def __get__(self, traits: Traits | None, owner: type) -> T:
        del owner
        if traits is None:  # a dataclass asks for the default: there is none, every mechanism states every fact
            raise AttributeError(self._name)
        value: T = traits.fact(self._name).value
        return value

    def __set__(self, traits: Traits, fact: Fact[T]) -> None:
        traits.__dict__[self._name] = fact


@dataclass(frozen=True, kw_only=True)
class Traits:
    """Facts about a mechanism, not code, each with its source. Sizes in bytes.

    `copies` counts kernel and user copies of a small message's bytes on the way that a pair of the lab takes: by `loan`
    and `borrow` where a channel has these (`ipclab.contract.optional_parts`), or else by `send` and `receive_into`.
    `copies_large` counts those of a message of `LARGE_BYTES` and more that is as long as the one before, and
    `copies_by_send` those of the same message by `send` and `receive_into`. Making and checking the bytes is no copy.
    `many_senders` and `many_receivers` say whether one channel serves several at a time, so that each message still
    arrives once. `waits` are the ways to wait that can be asked for with `Tuning`; the first is what it does unasked.
    `switches` are those it has, and how they stand unasked.
    """

    kind: Stated[Kind] = Stated()
    ordered: Stated[bool] = Stated()
    reliable: Stated[bool] = Stated()
    max_message_bytes: Stated[int] = Stated()
    on_full: Stated[OnFull] = Stated()
    persistence: Stated[Persistence] = Stated()
    direction: Stated[Direction] = Stated()
    communication: Stated[Communication] = Stated()
    many_senders: Stated[bool] = Stated()
    many_receivers: Stated[bool] = Stated()
    requires: Stated[frozenset[Sharing]] = Stated()
    copies: Stated[int] = Stated()
    copies_large: Stated[int] = Stated()
    copies_by_send: Stated[int] = Stated()
    send_errnos: Stated[tuple[str, ...]] = Stated()
    waits: Stated[tuple[Wait, ...]] = Stated()
    man_page: str
    switches: Mapping[Switch, bool] = field(default_factory=dict)

    def fact(self, name: str) -> Fact[Any]:
        """The fact of this name, with its source.

        :raises KeyError: there is none of this name
        """
        found = self.__dict__[name]
        if not isinstance(found, Fact):
            raise KeyError(name)
        return found

    def facts(self) -> dict[str, Fact[Any]]:
        """All of them, by name."""
        return {name: fact for name, fact in self.__dict__.items() if isinstance(fact, Fact)}

    def but(self, **facts: Fact[Any]) -> Traits:
        """The same, but for these facts."""
        return Traits(man_page=self.man_page, switches=self.switches, **{**self.facts(), **facts})


KEYS_PER_CHANNEL = 3  # a mechanism may use this many System V keys in a row, from the address's on


@dataclass(frozen=True, slots=True)
class Address:
    """The meeting point of the two endpoints; each mechanism uses the part that it needs.

    `key` is a System V key (1 to 2**31 - 1), `path` a name in the filesystem, `host` and `port` a
    socket address. A receiver listens on the one address that `host`, its own name, has, so that it is reached
    from that network alone; on every local address when `host` is empty.
    """

    key: int = 0
    path: Path = Path()
    host: str = ""
    port: int = 0


@dataclass(frozen=True, slots=True)
class Tuning:
    """The choices of an endpoint where a mechanism leaves one; each side of a channel chooses for itself.

    `None`, or a switch that is not there, is the mechanism's own way. The meeting point of both
    sides is an `Address`.
    """

    wait: Wait | None = None
    switches: Mapping[Switch, bool] = field(default_factory=dict)


class Endpoint(Protocol):
    """The common part of both sides. Leaving the `with` block closes."""

    def close(self) -> None:
        """Close the channel. Idempotent; never raises."""

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...


class Sender(Endpoint, Protocol):
    """The producer's end."""

    def send(self, payload: memoryview, timeout_s: float) -> None:
        """Send one message.

        :raises ChannelFull: no room within `timeout_s`; nothing was sent
        :raises MessageTooLarge: over `Traits.max_message_bytes`; nothing was sent
        :raises PeerGone: the channel broke; open a new sender
        """


class Receiver(Endpoint, Protocol):
    """The consumer's end."""

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        """Receive one message into `buffer` and return its length in bytes.

        :raises ReceiveTimeout: none came within `timeout_s`
        :raises MessageTooLarge: it does not fit `buffer` and is lost
        :raises TornMessage: bytes were skipped that are no whole message
        :raises PeerGone: the kernel object was removed; create a new receiver
        """

    def remove(self) -> None:
        """Close, and remove the kernel object with all queued messages."""


class Mechanism(Protocol):
    """One file in `ipclab.mechanisms`, as its module-level name `MECHANISM`."""

    traits: Traits

    def create_receiver(self, address: Address) -> Receiver:
        """Make the kernel object, or adopt a leftover.

        :raises AccessRefused: an object of another user is in the way
        :raises PeerAbsent: the host to listen on has no address here
        :raises Unusable: the mechanism cannot work here
        """

    def open_sender(self, address: Address) -> Sender:
        """Open the channel that a receiver made.

        :raises PeerAbsent: there is none
        :raises AccessRefused: it belongs to another user
        """


class Tunable(Mechanism, Protocol):
    """A mechanism with a choice. `ipclab.mechanisms.load` checks the choice against the traits first."""

    def tuned(self, tuning: Tuning) -> Mechanism:
        """The same mechanism, working as asked."""


class ClosingEndpoint:
    """The `with` half of every endpoint: leaving the block closes."""

    def close(self) -> None:
        raise NotImplementedError

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
