"""What all consumers of a shared channel received of one producer, together: pure.

    sent = received + lost + on the way

for each producer, whatever moment each consumer's notes are from. A missing number is lost once every consumer that
runs has received a later one: a mailbox gives out one producer's messages in order, so somebody took it out, and
nobody has it in hand any more. Until then it is on the way: in the mailbox, or in a hand. Where no consumer runs,
what was taken out before the last number that any received was in a hand that is dead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ipclab.received import Snapshot


@dataclass(frozen=True, slots=True)
class Account:
    """One producer's messages."""

    sent: int
    received: int  # numbers that some consumer received
    twice: int  # numbers that two consumers received, among the latest, and those one received again
    lost: int
    on_the_way: int


def merge(sent: int, notes: Sequence[Snapshot], running: Sequence[Snapshot | None], *, overtaking: int = 0) -> Account:
    """The account of a producer that has taken `sent` numbers.

    :param notes: of every consumer that ever was, if it received anything
    :param running: of the consumers that run, the same notes; None for one that has received nothing yet
    :param overtaking: by how many numbers a later message may pass an earlier one
    """
    floor = max((note.floor for note in notes), default=0)
    earlier = max((note.below for note in notes if note.floor == floor), default=0)
    notes = [note for note in notes if note.end > floor]  # the others are in the books below the floor
    base = max([floor, *(note.first for note in notes)])
    older, sets = 0, []
    for note in notes:
        shift = base - note.first
        older += note.older + (note.bits & ((1 << shift) - 1)).bit_count()
        sets.append(note.bits >> shift)
    seen = union = 0
    for bits in sets:
        seen += bits.bit_count()
        union |= bits
    twice = seen - union.bit_count() + sum(note.again for note in notes)
    union &= (1 << max(0, sent - base)) - 1  # what came since `sent` was read belongs to the next account
    ends = [note.end if note else floor for note in running] or [max((note.end for note in notes), default=floor)]
    border = min(max(min(ends) - overtaking, base), max(sent, base))
    passed = border - base
    lost = (floor - earlier) + (base - floor - older) + passed - (union & ((1 << passed) - 1)).bit_count()
    received = earlier + older + union.bit_count()
    return Account(sent, received, twice, lost, sent - received - lost)
