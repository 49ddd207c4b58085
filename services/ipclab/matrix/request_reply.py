"""Questions and replies over any mechanism: on one channel where it is two-way, else on two channels.

    with request_reply.create_answerer(mechanism, address) as answerer:      # one process
        length = answerer.receive_into(buffer, 1.0)
        answerer.reply(buffer[:length], 1.0)
    with request_reply.open_asker(mechanism, address) as asker:              # another process
        asker.send(question, 1.0)
        length = asker.receive_into(answer, 1.0)

With two channels, the asker owns the reply channel, at an address made from the first one's, and the answerer sends on
it. The first message of an asker is an introduction and no question: the answerer opens the reply channel and sends the
introduction back. Earlier messages on the reply channel were for an asker that died. There is one reply channel, so
there is one asker at a time (`ipclab.matrix.request_lock`). The next asker or answerer adopts the channel of a dead
one.

After an error close the asker and open another: see `ipclab.contract.optional_parts`. An open asker or answerer looks
nothing
up and makes nothing: `send`, `receive_into` and `reply` are the mechanism's own calls, but for one comparison in the
answerer's `receive_into` of a one-way channel.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import replace

from ipclab.contract.channel import KEYS_PER_CHANNEL, Address, ClosingEndpoint, Mechanism, Receiver, Sender
from ipclab.contract.errors import (
    GONE,
    NO_ANSWER,
    ChannelError,
    MessageTooLarge,
    PeerAbsent,
    PeerGone,
    ReceiveTimeout,
    TornMessage,
)
from ipclab.contract.optional_parts import Answerer, Asker, Shrinking, TwoWay
from ipclab.matrix import request_lock
from ipclab.matrix.request_lock import RequestLock

_MAGIC = b"IPCL half duplex"
_NONCE_BYTES = 8
_INTRODUCTION_BYTES = len(_MAGIC) + _NONCE_BYTES
_INTRODUCE_WITHIN_S = 0.1
_MAX_KEY = 2**31 - 1


def reply_address(address: Address) -> Address:
    """The address of the replies to questions at `address`: beside it, and still valid."""
    both = 2 * KEYS_PER_CHANNEL
    key = address.key + KEYS_PER_CHANNEL if address.key <= _MAX_KEY - both + 1 else address.key - both
    path = address.path.with_name(f"{address.path.name}.reply") if address.path.name else address.path
    return replace(address, key=key, path=path)


class HalfDuplexAsker(ClosingEndpoint):
    """Sends on the answerer's channel, receives on its own."""

    def __init__(self, mechanism: Mechanism, address: Address, timeout_s: float) -> None:
        """See `ipclab.matrix.request_reply.open_asker`."""
        deadline = time.monotonic() + timeout_s
        with ExitStack() as undo:
            # First of all, because its error is the mechanism's own; it writes nothing.
            sender = undo.enter_context(mechanism.open_sender(address))
            lock = request_lock.lock_object(mechanism.traits, address)
            self._request_lock = RequestLock(lock, max(0.0, deadline - time.monotonic()))
            undo.callback(self._request_lock.release)
            replies = mechanism.create_receiver(reply_address(address))
            undo.callback(replies.remove)
            _introduce(sender, replies, deadline)
            undo.pop_all()
        self._sender = sender
        self._replies = replies
        self.send = sender.send
        self.receive_into = replies.receive_into

    def close(self) -> None:
        """Let go of the answerer's channel, and take the own one away."""
        self._replies.remove()
        self._sender.close()
        self._request_lock.release()


def _introduce(sender: Sender, replies: Receiver, deadline: float) -> None:
    introduction = _MAGIC + os.urandom(_NONCE_BYTES)
    buffer = memoryview(bytearray(_INTRODUCTION_BYTES))
    sender.send(memoryview(introduction), max(0.0, deadline - time.monotonic()))
    heard = b""
    while heard != introduction:
        try:
            heard = bytes(buffer[: replies.receive_into(buffer, max(0.0, deadline - time.monotonic()))])
        except (MessageTooLarge, TornMessage):  # for an asker that died
            continue
        except ReceiveTimeout as error:
            raise PeerAbsent("the channel is there, but no answer comes", code=NO_ANSWER) from error


class HalfDuplexAnswerer(ClosingEndpoint):
    """Receives on its own channel, sends on the channel of the last introduced asker."""

    reply: Callable[[memoryview, float], None]

    def __init__(self, mechanism: Mechanism, address: Address) -> None:
        """See `ipclab.matrix.request_reply.create_answerer`."""
        self._mechanism = mechanism
        self._address = address
        self._lock = request_lock.lock_object(mechanism.traits, address)
        self._receiver = mechanism.create_receiver(address)
        self._receive = self._receiver.receive_into
        self._back: Sender | None = None
        self.reply = self._nobody
        try:
            self._lock.make()
        except ChannelError:
            self._receiver.remove()
            raise

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        """See `ipclab.contract.channel.Receiver`. An introduction begins the wait anew."""
        while True:
            try:
                length = self._receive(buffer, timeout_s)
            except ReceiveTimeout:
                self._forget_who_has_gone()
                raise
            if length != _INTRODUCTION_BYTES or buffer[: len(_MAGIC)] != _MAGIC:
                return length
            self._meet(bytes(buffer[:length]))

    def close(self) -> None:
        self._receiver.close()
        self._forget()

    def remove(self) -> None:
        self._receiver.remove()
        self._forget()
        with suppress(ChannelError):
            self._remove_what_a_dead_asker_left()
        self._lock.remove()

    def _remove_what_a_dead_asker_left(self) -> None:
        nobody_asks = RequestLock(self._lock, 0.0)
        try:
            self._mechanism.create_receiver(reply_address(self._address)).remove()
        finally:
            nobody_asks.release()

    def _forget_who_has_gone(self) -> None:
        """A segment that its asker has removed goes when we let go of it, too."""
        if self._back:
            with suppress(ChannelError):
                nobody_asks = RequestLock(self._lock, 0.0)
                self._forget()
                nobody_asks.release()

    def _meet(self, introduction: bytes) -> None:
        self._forget()
        with suppress(ChannelError):  # it has gone already, or will find out by its timeout
            self._back = self._mechanism.open_sender(reply_address(self._address))
            self._back.send(memoryview(introduction), _INTRODUCE_WITHIN_S)
            self.reply = self._back.send

    def _forget(self) -> None:
        self.reply = self._nobody
        if self._back:
            self._back.close()
            self._back = None

    def _nobody(self, payload: memoryview, timeout_s: float) -> None:
        del payload, timeout_s
        raise PeerGone("the asker has ended", code=GONE)


def for_questions(mechanism: Mechanism) -> Mechanism:
    """The mechanism with the smallest channel it has, for questions of a few bytes; the answerer must do the same."""
    return mechanism.for_questions() if isinstance(mechanism, Shrinking) else mechanism


def create_answerer(mechanism: Mechanism, address: Address) -> Answerer:
    """The side that owns the channel at `address` and answers. Its buffer must hold 64 bytes or more.

    :raises ChannelError: as `Mechanism.create_receiver` does
    """
    if isinstance(mechanism, TwoWay):
        return mechanism.create_answerer(address)
    return HalfDuplexAnswerer(mechanism, address)


def open_asker(mechanism: Mechanism, address: Address, timeout_s: float = 1.0) -> Asker:
    """The side that asks at `address`. On a one-way channel it waits for the request lock and a live answerer.

    :raises ChannelError: as `Mechanism.open_sender` does, and on a one-way channel, after `timeout_s`:
    :raises PeerAbsent: no answer to the introduction (`errors.NO_ANSWER`)
    :raises ChannelFull: another asker held the lock all the time (EAGAIN)
    """
    if isinstance(mechanism, TwoWay):
        return mechanism.open_asker(address)
    return HalfDuplexAsker(mechanism, address, timeout_s)
