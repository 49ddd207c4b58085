"""Where the consumer of a pair can be moved to, and what is to be expected there: facts, without Docker."""

from __future__ import annotations

from ipclab import mechanisms
from ipclab.matrix.placement import SHARED, Placement, reachable


def elsewhere(mechanism: str) -> list[Placement]:
    """Where the consumer of a pair can be moved to: apart from the producer, and not where it is anyway."""
    requires = mechanisms.load(mechanism).traits.requires
    return [
        place
        for place in Placement
        if place is not Placement.SAME_CONTAINER and (SHARED[place] != requires or place is Placement.SECOND_HOST)
    ]


def reaches(mechanism: str, placement: Placement) -> bool:
    """Whether messages are to arrive at `placement`."""
    return reachable(mechanisms.load(mechanism).traits, placement)
