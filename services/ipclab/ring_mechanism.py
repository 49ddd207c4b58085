"""What the shared-memory mechanisms say of themselves, as far as the ring says it: see `ipclab.ring_channel`."""

from __future__ import annotations

from typing import Self

from ipclab.channel import (
    Communication,
    Direction,
    Kind,
    OnFull,
    Persistence,
    Sharing,
    Switch,
    Traits,
    Tuning,
    Wait,
)
from ipclab.ring_channel import MAX_MESSAGE_BYTES


class RingMechanism:
    """What the mechanisms made of a ring share besides it: that they can be told how to wait."""

    def __init__(self, wait: Wait | None = None) -> None:
        self._wait = wait

    def tuned(self, tuning: Tuning) -> Self:
        return type(self)(tuning.wait)


def ring_traits(*, persistence: Persistence, requires: Sharing, man_page: str, sources: dict[str, str]) -> Traits:
    """The facts about a mechanism made of a ring: these are the memory's, the others are the ring's."""
    facts = ("ordered", "reliable", "direction", "communication", "many_senders", "many_receivers", "copies")
    ring = dict.fromkeys(facts, "ipclab.ring")
    channel = dict.fromkeys(("max_message_bytes", "on_full"), "ipclab.ring_channel")
    return Traits(
        kind=Kind.SHARED_MEMORY,
        ordered=True,
        reliable=True,
        max_message_bytes=MAX_MESSAGE_BYTES,
        on_full=OnFull.BLOCK,
        persistence=persistence,
        direction=Direction.ONE_WAY,
        communication=Communication.DIRECT,
        many_senders=False,  # each end has one owner: head and tail are no locks
        many_receivers=False,
        requires=frozenset({requires}),
        copies=2,  # into the memory, out of it
        send_errnos=("EAGAIN", "EBADMSG", "EIDRM", "ENOENT"),
        man_page=man_page,
        waits=(Wait.BLOCK, Wait.SPIN),
        switches={Switch.SYNC: True},
        sources={**ring, **channel, **sources},
    )
