"""A consumer that crashes again and again: its process is killed, and the restart policy starts the container anew."""

from __future__ import annotations

from dataclasses import replace

from ipclab.contract.channel import Traits
from labctl.faults import fault
from labctl.faults.fault import Fault, Target
from labctl.faults.kinds.killed import ended
from labctl.faults.prediction import Prediction
from labctl.lab.containers import run_in

# The engine waits 0.1 s before the first restart and twice as long before each further one, until a container ran
# for 10 s (docs.docker.com, restart policies).
_BACK_WITHIN_S = 60.0


class RestartLoop(Fault):
    name = "restart-loop"
    title = "consumer in a restart loop"
    does = "kills the consumer's process every 5 s; the engine's restart policy starts it anew"
    source = "docker run --restart, kill(2)"
    touches = frozenset({"consumer"})
    every_s = 5.0

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        once = ended(traits, ("consumer",), killed=True)
        return replace(once, halts=None, back_within_s=_BACK_WITHIN_S, at_most=None)  # as often as it was killed

    def begin(self, at: Target) -> None:
        self.again(at)

    def again(self, at: Target) -> None:
        consumer = at.consumer
        if consumer.running:
            run_in(consumer.docker, ["sh", "-c", "kill -9 -1"])

    def end(self, at: Target) -> None:
        fault.start_again(at.consumer)


FAULTS = (RestartLoop(),)
