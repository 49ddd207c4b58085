"""Name resolution gone: the producer no longer reaches the engine's resolver. A name is needed to connect alone."""

from __future__ import annotations

from ipclab.contract.channel import Traits
from labctl.faults import fault
from labctl.faults.container import in_network_of
from labctl.faults.fault import Fault, Target
from labctl.faults.kinds.cut import needs_network
from labctl.faults.prediction import Prediction


class NoNames(Fault):
    name = "no-names"
    title = "name resolution gone"
    does = "cuts the producer's way to the engine's resolver (127.0.0.11), so that every look-up fails"
    source = "resolv.conf(5), getaddrinfo(3), EAI_AGAIN"
    touches = frozenset({"names"})

    def refusal(self, traits: Traits) -> str:
        return needs_network(traits)

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        return Prediction(
            halts=False,
            back_within_s=15.0,
            errnos=frozenset(traits.send_errnos),
            object_stays=fault.stays(traits),
            sources={
                "halts": "connect(2): an open channel has the address, and asks for no name",
                "lost": "connect(2)",
            },
        )

    def begin(self, at: Target) -> None:
        in_network_of(at.lab, at.producer, "no-names")

    def end(self, at: Target) -> None:
        if at.producer.running:
            in_network_of(at.lab, at.producer, "names-again")


FAULTS = (NoNames(),)
