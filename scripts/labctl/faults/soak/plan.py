"""The plan of a soak: which fault begins and ends on which pair, and the pauses between. One seed is one plan.

A plan has no times of its own, only an order and pauses: a slow machine carries out less of the same plan. Two faults
run at a time at most, and none that excludes the other. Every fault comes up once before any comes up again.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

AT_ONCE = 2
_LASTS_S = (2.0, 8.0)
_PAUSE_S = (0.5, 3.0)


@dataclass(frozen=True)
class Choice:
    """A fault that makes sense on a pair; `mechanism` is empty for a fault of the whole lab."""

    fault: str
    mechanism: str
    touches: frozenset[str]
    reaches: frozenset[str]  # the mechanisms whose pairs it changes

    def excludes(self, other: Choice) -> bool:
        """Whether the two cannot run at the same time."""
        return bool(self.reaches & other.reaches) and (self.fault == other.fault or bool(self.touches & other.touches))


@dataclass(frozen=True)
class Start:
    """A fault begins; its number counts from 1."""

    number: int
    choice: Choice
    lasts_s: float  # as planned


@dataclass(frozen=True)
class Stop:
    """The fault with this number ends."""

    number: int


@dataclass(frozen=True)
class Pause:
    """Nothing begins or ends for so long."""

    seconds: float


Step = Start | Stop | Pause


def plan(seed: int, choices: Sequence[Choice]) -> Iterator[Step]:
    """The steps, without end.

    Each of `AT_ONCE` lanes has a fault, then a pause, then a fault. The lanes share one clock, which only the pauses
    move on.
    """
    dice = random.Random(seed)
    deck: list[str] = []
    running: dict[int, Start] = {}  # by lane
    due = [dice.uniform(*_PAUSE_S) for _ in range(AT_ONCE)]
    now, number = 0.0, 0
    while True:
        lane = min(range(AT_ONCE), key=due.__getitem__)
        if due[lane] > now:
            yield Pause(due[lane] - now)
            now = due[lane]
        if lane in running:
            yield Stop(running.pop(lane).number)
            due[lane] = now + dice.uniform(*_PAUSE_S)
            continue
        choice = _draw(dice, deck, choices, [start.choice for start in running.values()])
        if choice is None:  # the other lane's fault excludes every one that is left
            due[lane] = now + dice.uniform(*_PAUSE_S)
            continue
        number += 1
        running[lane] = Start(number, choice, round(dice.uniform(*_LASTS_S), 3))
        yield running[lane]
        due[lane] = now + running[lane].lasts_s


def _draw(dice: random.Random, deck: list[str], choices: Sequence[Choice], running: Sequence[Choice]) -> Choice | None:
    """The next fault of the deck that nothing excludes, on a pair by chance; None while all of them are excluded."""
    if not deck:
        deck += sorted({choice.fault for choice in choices})
        dice.shuffle(deck)
    for name in deck:
        free = [c for c in choices if c.fault == name and not any(c.excludes(other) for other in running)]
        if free:
            deck.remove(name)
            return dice.choice(free)
    return None
