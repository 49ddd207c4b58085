"""What the shared-memory mechanisms say of themselves, as far as the ring says it: see `ipclab.ring_channel`."""

from __future__ import annotations

from typing import Self

from ipclab.contract.channel import (
    Communication,
    Direction,
    Fact,
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


def ring_traits(
    *,
    kind: str,
    persistence: Fact[Persistence],
    requires: Fact[frozenset[Sharing]],
    waits: str,
    errnos: str,
    man_page: str,
) -> Traits:
    """The facts about a mechanism made of a ring: these are the memory's, the others are the ring's.

    `kind`, `waits` and `errnos` are sources: of the memory, of the semaphores that wake, of what both return.
    """
    copies = Fact(2, "ipclab.ring", "0: both sides see the same bytes")  # into the memory, out of it
    return Traits(
        kind=Fact(Kind.SHARED_MEMORY, kind),
        ordered=Fact(True, "ipclab.ring", "none: memory holds bytes, not messages"),
        reliable=Fact(True, "ipclab.ring", "memory keeps what was stored, until another store overwrites it"),
        max_message_bytes=Fact(
            MAX_MESSAGE_BYTES, "ipclab.ring_channel", f"no messages; the object may be as large as it is made ({kind})"
        ),
        on_full=Fact(OnFull.BLOCK, "ipclab.ring_channel", "memory is never full: a store overwrites what is there"),
        persistence=persistence,
        direction=Fact(
            Direction.ONE_WAY, "ipclab.ring", f"any: every process that maps it may read and write ({kind})"
        ),
        communication=Fact(
            Communication.DIRECT, "ipclab.ring", f"indirect: every process that finds the object maps it ({kind})"
        ),
        # Each end has one owner: head and tail are no locks.
        many_senders=Fact(False, "ipclab.ring", f"any number of processes may map it, and write at once ({kind})"),
        many_receivers=Fact(
            False, "ipclab.ring", f"any number of processes may map it, and all see all of it ({kind})"
        ),
        requires=requires,
        copies=copies,
        copies_large=copies,
        waits=Fact(
            (Wait.BLOCK, Wait.SPIN),
            f"{waits}; to spin, ipclab.ring_channel",
            "memory wakes nobody; the semaphores beside it do",
        ),
        send_errnos=Fact(
            ("EAGAIN", "EBADMSG", "EIDRM", "ENOENT"),
            f"{errnos}, and ipclab.ring_channel",
            "a store has no errno; EAGAIN is a full ring, EBADMSG a damaged one, EIDRM one that was removed",
        ),
        man_page=man_page,
        switches={Switch.SYNC: True},
    )
