"""The facts of a mechanism that follow from the ring."""

from __future__ import annotations

from ipclab.building_blocks.message_size import MAX_MESSAGE_BYTES
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
    Wait,
)
from ipclab.contract.errors import DAMAGED, FULL, NOT_READY, REMOVED


def ring_traits(
    *,
    kind: str,
    persistence: Fact[Persistence],
    requires: Fact[frozenset[Sharing]],
    waits: str,
    errnos: str,
    man_page: str,
    kernel_errnos: tuple[str, ...] = ("ENOENT",),
) -> Traits:
    """The facts about a mechanism made of a ring: these are the memory's, the others are the ring's.

    `kind`, `waits` and `errnos` are sources: of the memory, of the semaphores that wake, of what both return.
    """
    copies = Fact(0, kind)  # made in the memory, and checked there: `loan` and `borrow`
    return Traits(
        kind=Fact(Kind.SHARED_MEMORY, kind),
        ordered=Fact(True, "ipclab.building_blocks.ring", "none: memory holds bytes, not messages"),
        reliable=Fact(
            True, "ipclab.building_blocks.ring", "memory keeps what was stored, until another store overwrites it"
        ),
        max_message_bytes=Fact(
            MAX_MESSAGE_BYTES,
            "ipclab.building_blocks.ring_channel",
            f"no messages; the object may be as large as it is made ({kind})",
        ),
        on_full=Fact(
            OnFull.BLOCK,
            "ipclab.building_blocks.ring_channel",
            "memory is never full: a store overwrites what is there",
        ),
        persistence=persistence,
        direction=Fact(
            Direction.ONE_WAY,
            "ipclab.building_blocks.ring",
            f"any: every process that maps it may read and write ({kind})",
        ),
        communication=Fact(
            Communication.DIRECT,
            "ipclab.building_blocks.ring",
            f"indirect: every process that finds the object maps it ({kind})",
        ),
        # Each end has one owner: head and tail are no locks.
        many_senders=Fact(
            False, "ipclab.building_blocks.ring", f"any number of processes may map it, and write at once ({kind})"
        ),
        many_receivers=Fact(
            False, "ipclab.building_blocks.ring", f"any number of processes may map it, and all see all of it ({kind})"
        ),
        requires=requires,
        copies=copies,
        copies_large=copies,
        # into the memory, out of it
        copies_by_send=Fact(2, "ipclab.building_blocks.ring", "0: both sides see the same bytes"),
        waits=Fact(
            (Wait.BLOCK, Wait.SPIN),
            f"{waits}; to spin, ipclab.building_blocks.ring_channel",
            "memory wakes nobody; the semaphores beside it do",
        ),
        send_errnos=Fact(
            (*kernel_errnos, FULL, NOT_READY, REMOVED, DAMAGED),
            f"{errnos}; the others: ipclab.building_blocks.ring_channel",
            f"{' and '.join(kernel_errnos)}, of opening and waking; a store has no errno",
        ),
        man_page=man_page,
        switches={Switch.RACE_LOCK: True},
    )
