"""The kernel object of a pair: removed under both sides, or filled with garbage."""

from __future__ import annotations

from ipclab import mechanisms
from ipclab.contract.channel import Kind, Sharing, Traits
from labctl.faults import fault, prediction
from labctl.faults.fault import Fault, Strength, Target, has_name
from labctl.faults.prediction import Loss, Prediction


class RemoveObject(Fault):
    name = "remove-object"
    title = "kernel object removed under both"
    does = "takes the key or the name of the channel away: ipcrm(1), shm_unlink(3), mq_unlink(3), unlink(2)"
    source = "shmctl(2), msgctl(2), shm_unlink(3), mq_unlink(3), unlink(2)"
    touches = frozenset({"object"})

    def refusal(self, traits: Traits) -> str:
        return "" if has_name(traits) else "a socket of the network has no name in the kernel that could be removed"

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        return Prediction(
            halts=None,
            back_within_s=20.0,
            lost=Loss.MAY,
            reasons=prediction.ANY_REASON,
            errnos=frozenset(traits.send_errnos) | {"removed"},
            object_stays=True,  # another one of that name: the consumer makes it
            sources={
                "back_within_s": "ipclab.building_blocks.names: both sides look once a tick",
                "lost": "what is in an object without a name is lost where its reader has gone first",
                "errnos": traits.fact("send_errnos").source,
                "object_stays": "ipclab.pair.consumer: it makes the channel again",
            },
        )

    def begin(self, at: Target) -> None:
        at.act("remove")

    def end(self, at: Target) -> None:
        """Nothing: the consumer has made another object."""


class Garbage(Fault):
    name = "garbage"
    title = "kernel object filled with garbage"
    does = "writes random bytes over the beginning of shared memory, or sends garbage as messages"
    source = "ipclab.accounting.message: a checksum for each message; ipclab.building_blocks.ring: a checked header"
    strength = Strength(100, 1, 4096, "bytes, or messages")
    touches = frozenset({"object"})
    corrupts = True

    def refusal(self, traits: Traits) -> str:
        if traits.kind is Kind.SHARED_MEMORY or traits.many_senders:
            return ""
        return "the channel has one sender, and a second one gets in only by taking its place"

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        memory = traits.kind is Kind.SHARED_MEMORY
        return Prediction(
            halts=None,
            back_within_s=60.0 if memory else 20.0,  # a side that finds a file of others ends, and is started anew
            lost=Loss.MAY if memory else Loss.NONE,
            reasons=prediction.ANY_REASON if memory else frozenset(),
            errnos=frozenset(traits.send_errnos) | ({"damaged", "removed", "not ready"} if memory else set()),
            object_stays=fault.stays(traits),
            sources={
                "lost": "a message of somebody else takes no number: ipclab.accounting.checker; a ring that is damaged "
                "is made anew: ipclab.building_blocks.ring",
                "errnos": traits.fact("send_errnos").source,
            },
        )

    def begin(self, at: Target) -> None:
        at.act("garbage", number=at.strength)

    def end(self, at: Target) -> None:
        """Remove a file that is no longer known as ours: no side takes it, overwrites it or removes it itself.

        Elsewhere there is nothing to put back: a message of garbage was counted as corrupt, a damaged ring made anew.
        """
        traits = mechanisms.load(at.mechanism).traits
        if traits.kind is Kind.SHARED_MEMORY and uses_volume(traits) and at.container is not None:
            at.act("remove")


def uses_volume(traits: Traits) -> bool:
    """Whether the name is a path on the pair's volume."""
    return Sharing.VOLUME in traits.requires


FAULTS = (RemoveObject(), Garbage())
