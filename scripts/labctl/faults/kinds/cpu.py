"""A consumer that gets a part of a CPU: the quota of its cgroup, `docker update`."""

from __future__ import annotations

from typing import Any

from ipclab.contract.channel import Traits
from labctl.faults import fault, prediction
from labctl.faults.fault import Fault, Strength, Target
from labctl.faults.prediction import Loss, Prediction

_PERIOD_US = 100_000
_NO_QUOTA = -1  # 0 means "as it is" to the engine


class SlowConsumer(Fault):
    name = "slow-consumer"
    title = "consumer slowed to a part of a CPU"
    does = "gives the consumer so many percent of one CPU"
    source = "docker update --cpu-quota, cgroups(7)"
    strength = Strength(5, 1, 100, "% of a CPU")
    touches = frozenset({"consumer", "cpu"})
    keeps = (("quota", int), ("period", int))

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        dropping = fault.drops(traits)
        return Prediction(
            halts=None,
            back_within_s=15.0,
            lost=Loss.MAY if dropping else Loss.NONE,
            reasons=frozenset({prediction.CHANNEL}) if dropping else frozenset(),
            errnos=frozenset(traits.send_errnos),
            object_stays=fault.stays(traits),
            sources={"lost": traits.fact("on_full").source, "errnos": traits.fact("send_errnos").source},
        )

    def before(self, at: Target) -> dict[str, Any]:
        host = at.consumer.docker.attrs["HostConfig"]
        return {"quota": host["CpuQuota"], "period": host["CpuPeriod"]}

    def begin(self, at: Target) -> None:
        at.consumer.docker.update(cpu_period=_PERIOD_US, cpu_quota=_PERIOD_US * at.strength // 100)

    def end(self, at: Target) -> None:
        period = at.before["period"] or _PERIOD_US
        at.consumer.docker.update(cpu_period=period, cpu_quota=at.before["quota"] or _NO_QUOTA)


FAULTS = (SlowConsumer(),)
