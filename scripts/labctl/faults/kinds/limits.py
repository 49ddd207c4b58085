"""Limits used up: the queues of the namespace by others, the file descriptors of the consumer by itself."""

from __future__ import annotations

from typing import Any

from ipclab.contract.channel import Kind, Persistence, Traits
from labctl.faults import fault
from labctl.faults.fault import Fault, Scope, Target, shares_ipc
from labctl.faults.prediction import Prediction

_OTHER_USER = "10002:10002"  # RLIMIT_MSGQUEUE counts by user over all containers: not the one of the pairs
_MOST_QUEUES = 512  # mq_overview(7): queues_max is 256 by default


class QueueLimits(Fault):
    name = "queue-limits"
    title = "queue limits used up by others"
    does = "makes POSIX queues in the namespace until the kernel refuses one (queues_max); the end removes them"
    source = "mq_overview(7), queues_max; mq_open(3), ENOSPC"
    scope = Scope.LAB
    touches = frozenset({"queues"})

    def refusal(self, traits: Traits) -> str:
        if shares_ipc(traits) and traits.kind is Kind.MESSAGE and traits.persistence is Persistence.KERNEL:
            return ""
        return "the mechanism has no queue in the holder's namespace"

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        return Prediction(
            halts=False,
            back_within_s=10.0,
            object_stays=fault.stays(traits),
            sources={"halts": "mq_overview(7): the limit is for new queues", "lost": "mq_overview(7)"},
        )

    def begin(self, at: Target) -> None:
        at.act("queues", number=_MOST_QUEUES, user=_OTHER_USER)

    def end(self, at: Target) -> None:
        if at.container is not None and at.holder.running:
            at.act("clear-queues", number=_MOST_QUEUES, user=_OTHER_USER)


class Descriptors(Fault):
    name = "descriptors"
    title = "file descriptors used up"
    does = "lowers the consumer's limit of open files to what it has open; the end raises it to where it was"
    source = "prlimit(2), RLIMIT_NOFILE; accept(2), EMFILE"
    touches = frozenset({"descriptors", "consumer"})
    keeps = (("started_at", float),)

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        return Prediction(
            halts=False,
            back_within_s=15.0,
            errnos=frozenset(traits.send_errnos),
            object_stays=fault.stays(traits),
            sources={
                "halts": "getrlimit(2): the limit is for new descriptors; the channel has its own",
                "lost": "getrlimit(2)",
            },
        )

    def before(self, at: Target) -> dict[str, Any]:
        return {"started_at": at.consumer.started_at}

    def begin(self, at: Target) -> None:
        at.act_in(at.consumer.docker, "limit-descriptors", text="consumer")

    def end(self, at: Target) -> None:
        consumer = at.consumer
        if consumer.running and consumer.started_at == at.before["started_at"]:  # a new process has its own limit
            at.act_in(consumer.docker, "restore-descriptors", text="consumer")


FAULTS = (QueueLimits(), Descriptors())
