"""A side that is paused: the cgroup freezer, `docker pause`. Nobody is told."""

from __future__ import annotations

from typing import ClassVar

from ipclab.contract.channel import Sharing, Traits
from labctl.faults import fault, prediction
from labctl.faults.fault import Fault, Target
from labctl.faults.prediction import Loss, Prediction
from labctl.lab.containers import Container, freeze
from labctl.terminal.errors import LabError


class _Paused(Fault):
    side: ClassVar[str]
    source = "docker pause, cgroups(7), freezer"

    def begin(self, at: Target) -> None:
        container = self._of(at)
        if not container.running:
            raise LabError(f"{container.label} is {container.state}, and cannot be paused", hint="./lab up")
        freeze(container.docker)

    def end(self, at: Target) -> None:
        container = self._of(at)
        if container.state == "paused":
            container.docker.unpause()

    def _of(self, at: Target) -> Container:
        found: Container = getattr(at, self.side)
        return found


class PauseConsumer(_Paused):
    name = "pause-consumer"
    title = "consumer paused"
    does = "freezes the consumer: it keeps everything open, and takes nothing"
    touches = frozenset({"consumer"})
    side = "consumer"

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        dropping = fault.drops(traits)
        # A reader that is silent for 5 s is given up over TCP: ipclab.building_blocks.tcp_silence.
        cut = Sharing.NETWORK in traits.requires and not dropping
        return Prediction(
            halts=True,
            back_within_s=10.0,
            lost=Loss.MAY if dropping or cut else Loss.NONE,
            reasons=frozenset({prediction.CHANNEL}) if dropping or cut else frozenset(),
            errnos=frozenset(traits.send_errnos),
            object_stays=fault.stays(traits),
            sources={
                "lost": traits.fact("on_full").source,
                "errnos": traits.fact("send_errnos").source,
                "back_within_s": "ipclab.building_blocks.timed_io",
            },
        )


class PauseProducer(_Paused):
    name = "pause-producer"
    title = "producer paused"
    does = "freezes the producer: nothing is sent, and what was due for over a second is skipped"
    touches = frozenset({"producer"})
    side = "producer"

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        return Prediction(
            halts=True,
            back_within_s=10.0,
            errnos=frozenset(traits.send_errnos),
            object_stays=fault.stays(traits),
            sources={"lost": "ipclab.pair.producer: an overdue message is skipped, and has no number"},
        )


FAULTS = (PauseConsumer(), PauseProducer())
