"""What is predicted of a fault on a pair, before it is measured. Each part names its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

# ipc_messages_lost_total has these reasons: see `ipclab.accounting.checker`.
CHANNEL, PRODUCER_RESTART, CONSUMER_RESTART = "channel", "producer_restart", "consumer_restart"
ANY_REASON = frozenset({CHANNEL, PRODUCER_RESTART, CONSUMER_RESTART})


class Loss(StrEnum):
    """Whether messages are lost."""

    NONE = "none"
    MAY = "possible"
    SURE = "some"


@dataclass(frozen=True)
class Prediction:
    """The outcome of a fault on a pair.

    `halts` says whether messages stop arriving while the fault is on; None is either. The pair is at work again within
    `back_within_s` seconds of the end. `lost` and `reasons` are of the ledger; `at_most` bounds the loss where the
    mechanism does. The producer gets no other errno than `errnos`, and one of them where `refused`. The receiver's name
    in the kernel (key or path) is there while the fault is on if `object_stays`; None where it has none.
    """

    halts: bool | None
    back_within_s: float
    lost: Loss = Loss.NONE
    reasons: frozenset[str] = frozenset()
    at_most: int | None = None
    errnos: frozenset[str] = frozenset()
    refused: bool = False
    object_stays: bool | None = None
    sources: Mapping[str, str] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "halts": self.halts,
            "back_within_s": self.back_within_s,
            "lost": str(self.lost),
            "reasons": sorted(self.reasons),
            "at_most": self.at_most,
            "errnos": sorted(self.errnos),
            "refused": self.refused,
            "object_stays": self.object_stays,
            "sources": dict(self.sources),
        }
