"""The memory limit of the consumer reached: the kernel ends a process of the cgroup, the consumer first."""

from __future__ import annotations

from dataclasses import replace

from ipclab.contract.channel import Traits
from labctl.faults import fault
from labctl.faults.fault import Fault, Target
from labctl.faults.kinds.killed import ended
from labctl.faults.prediction import Prediction

_KILLED = 137


class OutOfMemory(Fault):
    name = "out-of-memory"
    title = "memory limit reached (OOM kill)"
    does = "uses up the consumer's memory limit; the kernel kills the consumer, the restart policy brings it back"
    source = "cgroups(7), memory; proc(5), oom_score_adj"
    touches = frozenset({"consumer"})

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        return replace(ended(traits, ("consumer",), killed=True), halts=None)

    def begin(self, at: Target) -> None:
        # The consumer's process id 1 goes with it, and with that the process that used up the memory.
        at.consumer.docker.exec_run(
            ["python", "-m", "ipclab", "fault-act", "use-up-memory", at.mechanism, "--text=consumer"]
        )

    def end(self, at: Target) -> None:
        fault.start_again(at.consumer)


FAULTS = (OutOfMemory(),)
