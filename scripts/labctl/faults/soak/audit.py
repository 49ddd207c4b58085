"""The audit of a soak: every sequence number is received, counted as duplicate, or lost for a reason that a fault has.

Pure: it knows the pairs by what their ledgers say at some moments, and the faults by what they may cost.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any


@dataclass(frozen=True)
class Reading:
    """The ledgers of a pair at one moment, over all its producers: messages since the ledgers were made."""

    sent: int
    received: int
    lost: Mapping[str, int]  # by reason
    duplicate: int
    corrupt: int

    @property
    def in_flight(self) -> int:
        """Neither received nor lost."""
        return self.sent - self.received - sum(self.lost.values())


@dataclass(frozen=True)
class Cause:
    """A fault that was on a pair, and what it may cost there by its prediction."""

    fault: str
    reasons: frozenset[str]
    corrupts: bool = False


@dataclass(frozen=True)
class Loss:
    """Messages that were lost, or arrived corrupt, between two readings, and the faults that explain them."""

    mechanism: str
    reason: str  # of ipc_messages_lost_total, or "corrupt"
    count: int
    faults: tuple[str, ...]  # none: nobody explains it

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        return {
            "mechanism": self.mechanism,
            "reason": self.reason,
            "count": self.count,
            "explained_by": list(self.faults),
        }


CORRUPT = "corrupt"
KERNEL = "no fault, but as many drops in the kernel's own count"


@dataclass
class Book:
    """The book of one pair: its first and last reading, and every loss between."""

    mechanism: str
    first: Reading
    last: Reading = field(init=False)
    losses: list[Loss] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.last = self.first

    def enter(self, reading: Reading, causes: Iterable[Cause]) -> None:
        """Enter a later reading; `causes` are the faults that were on the pair since the last one."""
        causes = list(causes)
        for reason, total in reading.lost.items():
            if count := total - self.last.lost.get(reason, 0):
                faults = sorted({cause.fault for cause in causes if reason in cause.reasons})
                self.losses.append(Loss(self.mechanism, reason, count, tuple(faults)))
        if count := reading.corrupt - self.last.corrupt:
            faults = sorted({cause.fault for cause in causes if cause.corrupts})
            self.losses.append(Loss(self.mechanism, CORRUPT, count, tuple(faults)))
        self.last = reading

    def explain_drops(self, dropped: int) -> None:
        """Losses in the channel that no fault explains are the kernel's, up to what the kernel itself counted.

        A mechanism that drops messages does so on a busy machine without any fault: udp(7), RcvbufErrors.
        """
        for index, loss in enumerate(self.losses):
            if loss.reason == "channel" and not loss.faults and loss.count <= dropped:
                dropped -= loss.count
                self.losses[index] = replace(loss, faults=(KERNEL,))

    @property
    def sent(self) -> int:
        """Messages that were sent since the first reading."""
        return self.last.sent - self.first.sent

    @property
    def received(self) -> int:
        """Messages that were received since the first reading, each once."""
        return self.last.received - self.first.received

    @property
    def duplicate(self) -> int:
        """Messages that arrived again."""
        return self.last.duplicate - self.first.duplicate

    @property
    def corrupt(self) -> int:
        """Arrivals that were no message as sent."""
        return self.last.corrupt - self.first.corrupt

    @property
    def lost(self) -> int:
        """Messages that were lost, for all reasons."""
        return sum(self.last.lost.values()) - sum(self.first.lost.values())

    def findings(self) -> list[str]:
        """What is wrong, one line each; the last reading must be one with nothing in flight."""
        found = [
            f"{loss.mechanism}: {loss.count:,} {_words(loss.reason)}, which no fault explains"
            for loss in self.losses
            if not loss.faults
        ]
        if rest := self.last.in_flight:
            what = f"{rest:,} messages are neither received nor lost" if rest > 0 else f"{-rest:,} more than were sent"
            found.append(f"{self.mechanism}: {what}")
        return found

    def as_json(self) -> dict[str, Any]:
        """For the report."""
        return {
            "mechanism": self.mechanism,
            "sent": self.sent,
            "received": self.received,
            "lost": self.lost,
            "lost_by_reason": {
                reason: total - self.first.lost.get(reason, 0) for reason, total in self.last.lost.items()
            },
            "duplicate": self.duplicate,
            "corrupt": self.corrupt,
            "unaccounted": self.last.in_flight,
        }


def _words(reason: str) -> str:
    return "corrupt arrivals" if reason == CORRUPT else f"messages lost ({reason})"


def merged(losses: Sequence[Loss]) -> list[Loss]:
    """One entry for each pair, reason and set of faults."""
    counts: dict[tuple[str, str, tuple[str, ...]], int] = {}
    for loss in losses:
        key = (loss.mechanism, loss.reason, loss.faults)
        counts[key] = counts.get(key, 0) + loss.count
    return [Loss(mechanism, reason, count, faults) for (mechanism, reason, faults), count in sorted(counts.items())]
