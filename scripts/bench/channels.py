"""Channels for a parent and its child; receiving ends are made before the fork, so that nobody waits for them."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.shapes import Side
from ipclab import mechanisms
from ipclab.building_blocks.pipes import Conversation
from ipclab.contract.channel import Address, Direction, Kind, Mechanism, Tuning, Wait
from ipclab.contract.optional_parts import BatchReceiver, BatchSender
from ipclab.matrix import request_reply


@dataclass(frozen=True, slots=True)
class Pair:
    """Each is called once, in the process whose side it is."""

    parent: Callable[[], Side]
    child: Callable[[], Side]


@contextmanager
def open_pair(mechanism: str, wait: Wait, directory: Path, *, replies: bool) -> Iterator[Pair]:
    """A channel of `mechanism` and a way back; nothing of them is left afterwards.

    `replies`: a connection is its own way back. All else has a second channel, so that the first is exactly what a
    pair of the lab has, and so that nothing is timed that tells a reply from a message. An anonymous pipe is always
    the one that a fork hands down, and a second one back. `directory` is where those that need a name in the
    filesystem have it.
    """
    with ExitStack() as undo:
        if mechanism == "anonymous_pipe":
            yield _inherited(undo)
            return
        subject = mechanisms.load(mechanism, Tuning(wait=wait))
        traits = subject.traits
        is_connection = traits.kind is Kind.BYTE_STREAM and traits.direction is Direction.TWO_WAY
        yield (_round_trip if replies and is_connection else _two_channels)(subject, directory, undo)


def _inherited(undo: ExitStack) -> Pair:
    conversation = Conversation()

    def parent() -> Side:
        receiver, sender = conversation.parent()
        undo.callback(receiver.close)
        undo.callback(sender.close)
        return Side(receiver.receive_into, sender.send)

    def child() -> Side:
        receiver, sender = conversation.child()
        return Side(receiver.receive_into, sender.send)

    return Pair(parent, child)


def _round_trip(subject: Mechanism, directory: Path, undo: ExitStack) -> Pair:
    address = _address(directory)
    answerer = request_reply.create_answerer(subject, address)
    undo.callback(answerer.remove)

    def parent() -> Side:
        asker = undo.enter_context(request_reply.open_asker(subject, address))
        return Side(asker.receive_into, asker.send)

    def child() -> Side:
        # Looked up each time: it is another one once the asker has introduced itself.
        return Side(answerer.receive_into, lambda payload, timeout_s: answerer.reply(payload, timeout_s))

    return Pair(parent, child)


def _two_channels(subject: Mechanism, directory: Path, undo: ExitStack) -> Pair:
    ends = []
    for _ in ("there", "back"):
        address = _address(directory)
        receiver = subject.create_receiver(address)
        undo.callback(receiver.remove)
        sender = undo.enter_context(subject.open_sender(address))
        ends.append((receiver, sender))
    (hears_there, sends_there), (hears_back, sends_back) = ends
    send_many = sends_there.send_many if isinstance(sends_there, BatchSender) else None
    receive_many = hears_there.receive_many if isinstance(hears_there, BatchReceiver) else None
    return Pair(
        lambda: Side(hears_back.receive_into, sends_there.send, send_many=send_many),
        lambda: Side(hears_there.receive_into, sends_back.send, receive_many=receive_many),
    )


def _address(directory: Path) -> Address:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    key = random.randrange(1 << 20, 1 << 30)
    return Address(key=key, path=directory / f"bench-{key:x}", host="127.0.0.1", port=port)
