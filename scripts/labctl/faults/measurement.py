"""What a fault did to a pair, by the ledgers of both sides and by the producer's counters; and the comparison.

The ledgers are read through the engine, so they tell also of a side that is dead or paused.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from ipclab.accounting.ledger import LedgerError, producer_in, streams_in
from labctl.config import compose_file
from labctl.faults.prediction import CHANNEL, CONSUMER_RESTART, PRODUCER_RESTART, Loss, Prediction
from labctl.lab import state_files
from labctl.lab.containers import of_service
from labctl.lab.lab import Lab
from labctl.terminal.errors import LabError

_STATE = "/state"


@dataclass(frozen=True)
class Account:
    """The messages of a pair, at one moment, since it was created."""

    sent: int
    received: int
    duplicate: int
    lost: Mapping[str, int] = field(default_factory=dict)  # by reason

    @classmethod
    def of(cls, lab: Lab, mechanism: str) -> Self:
        """
        :raises LabError: a ledger is not there
        """
        producer, consumer = (
            of_service(lab.client, lab.project, compose_file.service_of(mechanism, role))
            for role in ("producer", "consumer")
        )
        if producer is None or consumer is None:
            raise LabError(f"{mechanism} is not in {lab.project}", hint=f"./lab up {mechanism}")
        try:
            _, sent, _ = producer_in(state_files.read(producer.docker, _STATE)["producer.ledger"])
            streams = streams_in(state_files.read(consumer.docker, _STATE)["consumer.ledger"]).values()
        except (KeyError, LedgerError, ValueError) as error:
            raise LabError(f"the ledger of {mechanism} cannot be read: {error}", hint="./lab status") from error
        return cls(
            sent,
            sum(s.received for s in streams),
            sum(s.duplicate for s in streams),
            {
                CHANNEL: sum(s.lost_in_channel for s in streams),
                PRODUCER_RESTART: sum(s.lost_at_producer_restart for s in streams),
                CONSUMER_RESTART: sum(s.lost_at_consumer_restart for s in streams),
            },
        )

    @property
    def lost_in_all(self) -> int:
        """For all reasons."""
        return sum(self.lost.values())


@dataclass(frozen=True)
class Measured:
    """The outcome of a fault on a pair. `back_s` is None where the pair was not back in time."""

    halted: bool
    back_s: float | None
    sent: int
    lost: Mapping[str, int]
    duplicate: int
    errnos: tuple[str, ...]
    object_stays: bool | None

    @classmethod
    def between(cls, before: Account, after: Account, **outcome: Any) -> Self:
        """Of what was counted between two moments."""
        return cls(
            sent=after.sent - before.sent,
            lost={reason: n - before.lost[reason] for reason, n in after.lost.items() if n > before.lost[reason]},
            duplicate=after.duplicate - before.duplicate,
            **outcome,
        )

    @property
    def lost_in_all(self) -> int:
        """For all reasons."""
        return sum(self.lost.values())

    def as_json(self) -> dict[str, Any]:
        """For `--json`."""
        return {
            "halted": self.halted,
            "back_s": self.back_s,
            "sent": self.sent,
            "lost": dict(self.lost),
            "duplicate": self.duplicate,
            "errnos": list(self.errnos),
            "object_stays": self.object_stays,
        }


def differences(predicted: Prediction, measured: Measured) -> list[str]:
    """In which points what was measured is not what was predicted, one sentence each; none where it is."""
    found = []
    if predicted.halts is not None and predicted.halts != measured.halted:
        found.append(f"messages {'stopped' if measured.halted else 'went on'} while it was on")
    if measured.back_s is None:
        found.append(f"not back within {predicted.back_within_s:.0f} s")
    lost = measured.lost_in_all
    if predicted.lost is Loss.NONE and lost:
        found.append(f"{lost} lost, none predicted")
    if predicted.lost is Loss.SURE and not lost:
        found.append("none lost, some predicted")
    if predicted.lost is not Loss.NONE and (other := set(measured.lost) - predicted.reasons):
        found.append(f"lost for another reason: {', '.join(sorted(other))}")
    if predicted.at_most is not None and lost > predicted.at_most and predicted.lost is not Loss.NONE:
        found.append(f"{lost} lost, at most {predicted.at_most} predicted")
    if other := set(measured.errnos) - predicted.errnos:
        found.append(f"the producer got {', '.join(sorted(other))}")
    if predicted.refused and not measured.errnos:
        found.append("the producer got no error")
    if None not in (predicted.object_stays, measured.object_stays) and predicted.object_stays != measured.object_stays:
        found.append(f"the name in the kernel is {'there' if measured.object_stays else 'gone'}")
    return found
