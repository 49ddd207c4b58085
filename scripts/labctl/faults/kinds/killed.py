"""kill -9 of a side, or of both: `docker kill`, which no restart policy mends; the end starts them again."""

from __future__ import annotations

from typing import ClassVar

from ipclab.contract.channel import Traits
from labctl.faults import fault, prediction
from labctl.faults.fault import Fault, Target
from labctl.faults.prediction import Loss, Prediction
from labctl.lab.containers import Container

BACK_WITHIN_S = 20.0


class _Killed(Fault):
    """The sides are dead until the end."""

    sides: ClassVar[tuple[str, ...]]
    source = "docs/decisions/0002-ledger-on-a-private-volume.md, signal(7)"

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        return ended(traits, self.sides, killed=True)

    def begin(self, at: Target) -> None:
        for container in self._victims(at):
            if container.state in ("running", "paused"):
                container.docker.kill()

    def end(self, at: Target) -> None:
        for container in self._victims(at):
            fault.start_again(container)

    def _victims(self, at: Target) -> list[Container]:
        """The consumer first: a producer looks for it."""
        return [getattr(at, side) for side in self.sides]


def ended(traits: Traits, sides: tuple[str, ...], *, killed: bool) -> Prediction:
    """What the end of these sides means, in good order or by kill -9, until they are started again."""
    reasons: set[str] = set()
    at_most: int | None = None
    in_hand = len(sides) if killed else 0
    if fault.outlives(traits):
        lost = Loss.MAY if in_hand else Loss.NONE
        at_most = in_hand
    else:
        lost = Loss.MAY
    if lost is Loss.MAY:
        # What is missing before the first message of a life is put to that life: ipclab.accounting.checker.
        if "consumer" in sides:
            reasons |= {prediction.CONSUMER_RESTART, prediction.CHANNEL}
        if "producer" in sides:
            reasons |= {prediction.PRODUCER_RESTART}
    errnos = frozenset(traits.send_errnos) if "consumer" in sides else frozenset()
    return Prediction(
        halts=True,
        back_within_s=BACK_WITHIN_S,
        lost=lost,
        reasons=frozenset(reasons),
        at_most=at_most,
        errnos=errnos,
        object_stays=fault.stays(traits),
        sources={
            "lost": traits.fact("persistence").source,
            "at_most": "the message in the hand of who is killed: ipclab.accounting.ledger",
            "reasons": "ipclab.accounting.checker",
            "errnos": traits.fact("send_errnos").source,
            "object_stays": traits.fact("persistence").source,
            "back_within_s": "ipclab.pair.producer: a retry every 0.5 s at the latest; and the start of a container",
        },
    )


class KillConsumer(_Killed):
    name = "kill-consumer"
    title = "consumer killed (kill -9)"
    does = "kills the consumer (SIGKILL); it stays dead until the end"
    touches = frozenset({"consumer"})
    sides = ("consumer",)


class KillProducer(_Killed):
    name = "kill-producer"
    title = "producer killed (kill -9)"
    does = "kills the producer (SIGKILL); it stays dead until the end"
    touches = frozenset({"producer"})
    sides = ("producer",)


class KillBoth(_Killed):
    name = "kill-both"
    title = "both sides killed (kill -9)"
    does = "kills producer and consumer (SIGKILL); they stay dead until the end"
    touches = frozenset({"consumer", "producer"})
    sides = ("consumer", "producer")


FAULTS = (KillConsumer(), KillProducer(), KillBoth())
