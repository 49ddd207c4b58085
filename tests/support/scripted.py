"""A channel in memory that keeps the contract and fails when its script says so, and a clock that only it moves.

The loops are tested against it alone: what a kernel would do next is in the script, and time passes when
somebody sleeps or blocks, so that ten seconds of load cost none.
"""

from __future__ import annotations

import errno
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import ClassVar, NoReturn

from ipclab.contract.channel import (
    Address,
    ClosingEndpoint,
    Communication,
    Direction,
    Fact,
    Kind,
    OnFull,
    Persistence,
    Sharing,
    Traits,
    Wait,
)
from ipclab.contract.errors import ChannelFull, PeerAbsent, PeerGone, ReceiveTimeout
from ipclab.runtime.lifecycle import Stop

S = 1_000_000_000
MAX_MESSAGE_BYTES = 8192
ADDRESS = Address(key=1, path=Path("nowhere"), host="nobody", port=1)


class Clock:
    """Stands in for the module `time` in a loop's module."""

    def __init__(self) -> None:
        self.now_ns = 1000 * S
        self.sleeps: list[float] = []

    def monotonic_ns(self) -> int:
        return self.now_ns

    def time_ns(self) -> int:
        return 1_700_000_000 * S + self.now_ns

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.sleeps.append(seconds)
        self.now_ns += int(seconds * 1e9)


def traits(*, ordered: bool = True) -> Traits:
    here = "ipclab.contract.channel"
    return Traits(
        kind=Fact(Kind.MESSAGE, here),
        ordered=Fact(ordered, here),
        reliable=Fact(True, here),
        max_message_bytes=Fact(MAX_MESSAGE_BYTES, here),
        on_full=Fact(OnFull.BLOCK, here),
        persistence=Fact(Persistence.PROCESS, here),
        direction=Fact(Direction.ONE_WAY, here),
        communication=Fact(Communication.DIRECT, here),
        many_senders=Fact(False, here),
        many_receivers=Fact(False, here),
        requires=Fact(frozenset({Sharing.VOLUME}), here),
        copies=Fact(1, here),
        copies_large=Fact(1, here),
        copies_by_send=Fact(1, here),
        waits=Fact((Wait.BLOCK,), here),
        send_errnos=Fact(("EAGAIN", "ENOENT", "EPIPE"), here),
        man_page="none",
    )


def full() -> Exception:
    return ChannelFull("full", code=errno.EAGAIN)


def absent() -> Exception:
    return PeerAbsent("nobody there", code=errno.ENOENT)


def gone(*, may_be_delivered: bool = False) -> Exception:
    return PeerGone("broke", code=errno.EPIPE, may_be_delivered=may_be_delivered)


@dataclass
class Channel:
    """A mechanism with one channel. `on_open`, `on_send` and `on_receive` are asked at every call.

    They may raise what a mechanism may raise; `on_send` decides by returning whether the message arrives. `in_place`:
    the endpoints loan and borrow, `on_send` is asked by `commit`, and may raise what `loan` raises too.
    """

    in_place: ClassVar[bool] = False

    clock: Clock
    stop: Stop
    on_open: Callable[[int], None] = lambda _attempt: None
    on_send: Callable[[int, bytes], bool] = lambda _attempt, _message: True
    on_loan: Callable[[], None] = lambda: None
    on_release: Callable[[], None] = lambda: None
    script: Iterator[bytes | Exception] = field(default_factory=lambda: iter(()))
    traits: Traits = field(default_factory=traits)
    arrived: list[bytes] = field(default_factory=list)
    opens: int = 0
    sends: int = 0
    closed: int = 0
    dropped: int = 0

    def open_sender(self, address: Address) -> Sender:
        self._open(address)
        return LoaningSender(self) if self.in_place else Sender(self)

    def create_receiver(self, address: Address) -> Receiver:
        self._open(address)
        return BorrowingReceiver(self) if self.in_place else Receiver(self)

    def _open(self, address: Address) -> None:
        assert address is ADDRESS
        self.opens += 1
        self.on_open(self.opens)


class _Endpoint(ClosingEndpoint):
    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.is_open = True

    def close(self) -> None:
        self.is_open = False
        self.channel.closed += 1


class Sender(_Endpoint):
    """Asks `on_send`."""

    def send(self, payload: memoryview, timeout_s: float) -> None:
        assert self.is_open
        assert 0 < timeout_s < 1
        self._deliver(bytes(payload), timeout_s)

    def _deliver(self, whole: bytes, timeout_s: float) -> None:
        channel = self.channel
        channel.sends += 1
        try:
            if channel.on_send(channel.sends, whole):
                channel.arrived.append(whole)
        except ChannelFull:
            channel.clock.sleep(timeout_s)
            raise


class LoaningSender(Sender):
    """The same, and the message is made in memory of the channel, which has any content before."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self._loaned: memoryview | None = None
        self._timeout_s = 0.0

    def send(self, payload: memoryview, timeout_s: float) -> NoReturn:
        del payload, timeout_s
        raise AssertionError("a copy")

    def loan(self, size: int, timeout_s: float = 0.0) -> memoryview:
        assert self.is_open
        assert 0 < timeout_s < 1
        self.channel.on_loan()
        self._loaned, self._timeout_s = memoryview(bytearray(b"!" * size)), timeout_s
        return self._loaned

    def commit(self, *, more: bool = False) -> None:
        del more
        assert self._loaned is not None
        whole = bytes(self._loaned)
        self._loaned.release()
        self._loaned = None
        self._deliver(whole, self._timeout_s)


class Receiver(_Endpoint):
    """Plays the script: messages come, errors are raised; behind the last one the consumer is stopped."""

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        step = self._next(timeout_s)
        buffer[: len(step)] = step
        return len(step)

    def _next(self, timeout_s: float) -> bytes:
        channel = self.channel
        assert self.is_open
        assert 0 < timeout_s < 1
        step = next(channel.script, None)
        if step is None:
            channel.stop.request("the script is over")
            raise ReceiveTimeout("empty", code=errno.EAGAIN)
        if isinstance(step, Exception):
            raise step
        return step

    def remove(self) -> None:
        self.close()

    def kernel_drops(self) -> int:
        return self.channel.dropped


class BorrowingReceiver(Receiver):
    """The same, and the message stays where it is until it is released."""

    def __init__(self, channel: Channel) -> None:
        super().__init__(channel)
        self._borrowed: memoryview | None = None

    def receive_into(self, buffer: memoryview, timeout_s: float) -> NoReturn:
        del buffer, timeout_s
        raise AssertionError("a copy")

    def borrow(self, timeout_s: float) -> memoryview:
        assert self._borrowed is None
        self._borrowed = memoryview(self._next(timeout_s))
        return self._borrowed

    def release(self) -> None:
        assert self._borrowed is not None
        self.channel.on_release()
        self._borrowed.release()
        self._borrowed = None
