"""The lab's own mechanisms as endpoints of a bench: the implementation `python`."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Any

from ipclab import mechanisms
from ipclab.bench import endpoint
from ipclab.bench.endpoint import Ends, patiently
from ipclab.bench.ports import Receives
from ipclab.bench.request import Request, Shape, Side
from ipclab.contract.channel import Direction, Kind, Mechanism, Tuning, Wait
from ipclab.contract.optional_parts import Answerer, TwoWay

IMPLEMENTATION = "python"


def main(argv: Sequence[str]) -> int:
    """See `ipclab.bench.endpoint.main`."""
    return endpoint.main(argv, describe, open_ends)


def describe() -> dict[str, Any]:
    """A row for each mechanism of the lab, from its traits."""
    rows = []
    for name in mechanisms.names():
        traits = mechanisms.load(name).traits
        rows.append(
            {
                "implementation": IMPLEMENTATION,
                "mechanism": name,
                "requires": sorted(map(str, traits.requires)),
                "max_bytes": traits.max_message_bytes,
                "shapes": [str(shape) for shape in Shape],
                "waits": [str(wait) for wait in traits.waits],
                "copies": ["yes", "no"] if lends(mechanisms.load(name)) else ["yes"],
                "ordered": traits.ordered,
                "reliable": traits.reliable,
                "together": False,
                "limit": False,
                "version": f"Python {platform.python_version()}",
            }
        )
    return {"rows": rows}


def lends(mechanism: Mechanism) -> bool:
    """Has it a way without copies: `loan` and `borrow` of the channel's own memory?"""
    return mechanism.traits.copies == 0


def open_ends(request: Request, stack: ExitStack) -> Ends:
    """The channel as a pair of the lab has it. A connection is its own way back; all else has a second channel."""
    known = mechanisms.load(request.mechanism)
    mechanism = mechanisms.load(request.mechanism, Tuning(wait=request.wait if _tunes(known, request.wait) else None))
    traits = mechanism.traits
    if (
        request.shape is not Shape.ONE_WAY
        and traits.kind is Kind.BYTE_STREAM
        and traits.direction is Direction.TWO_WAY
        and isinstance(mechanism, TwoWay)
    ):
        return _connection(mechanism, request, stack)
    if request.role is Side.PRODUCER:
        replies = None
        if request.shape is not Shape.ONE_WAY:
            replies = mechanism.create_receiver(request.back)
            stack.callback(replies.remove)
        sender = stack.enter_context(patiently(lambda: mechanism.open_sender(request.address)))
        return Ends(sender, lambda: _there(replies))
    receiver = mechanism.create_receiver(request.address)
    stack.callback(receiver.remove)
    return Ends(receiver, lambda: stack.enter_context(patiently(lambda: mechanism.open_sender(request.back))))


class _Replies:
    """The answering half of a connection. `reply` is looked up each time: it is another one for each asker."""

    def __init__(self, answerer: Answerer) -> None:
        self._answerer = answerer

    def send(self, payload: memoryview, timeout_s: float, /) -> None:
        self._answerer.reply(payload, timeout_s)


def _connection(mechanism: TwoWay, request: Request, stack: ExitStack) -> Ends:
    if request.role is Side.PRODUCER:
        asker = stack.enter_context(patiently(lambda: mechanism.open_asker(request.address)))
        return Ends(asker, lambda: asker)
    answerer = mechanism.create_answerer(request.address)
    stack.callback(answerer.remove)
    return Ends(answerer, lambda: _Replies(answerer))


def _there(replies: Receives | None) -> Receives:
    assert replies is not None
    return replies


def _tunes(mechanism: Mechanism, wait: Wait) -> bool:
    return wait in mechanism.traits.waits
