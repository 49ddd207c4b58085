"""The clock of the engine behind: told, and not done."""

from __future__ import annotations

from ipclab.contract.channel import Traits
from labctl.faults.fault import Fault, Target
from labctl.faults.prediction import Prediction


class ClockBehind(Fault):
    name = "clock-behind"
    title = "clock of the engine behind"
    does = "is told and not done"
    source = "clock_gettime(2), time_namespaces(7)"
    touches = frozenset({"clock"})
    by_chance = False

    def told(self) -> str:
        return (
            "a container cannot set the time of day (CAP_SYS_TIME), and the lab sets no clock of your machine; latency "
            "is measured on CLOCK_MONOTONIC, which nobody can set"
        )

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del traits, strength
        return Prediction(halts=False, back_within_s=0.0, sources={"halts": "clock_gettime(2), CLOCK_MONOTONIC"})

    def begin(self, at: Target) -> None:
        del at

    def end(self, at: Target) -> None:
        del at


FAULTS = (ClockBehind(),)
