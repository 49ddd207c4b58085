"""Both sides stopped in good order and started again: SIGTERM, as `docker stop` does."""

from __future__ import annotations

from ipclab.contract.channel import Traits
from labctl.faults import fault
from labctl.faults.fault import Fault, Target
from labctl.faults.kinds.killed import ended
from labctl.faults.prediction import Prediction

_GRACE_S = 3  # compose.yaml's stop_grace_period


class Stop(Fault):
    name = "stop"
    title = "both sides stopped and started"
    does = "stops the producer, then the consumer (SIGTERM); the end starts them"
    source = "docker stop"
    touches = frozenset({"consumer", "producer"})

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        return ended(traits, ("consumer", "producer"), killed=False)

    def begin(self, at: Target) -> None:
        for container in (at.producer, at.consumer):
            container.docker.stop(timeout=_GRACE_S)

    def end(self, at: Target) -> None:
        for container in (at.consumer, at.producer):
            fault.start_again(container)


FAULTS = (Stop(),)
