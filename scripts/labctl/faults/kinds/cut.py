"""The network of a pair cut: `docker network disconnect`. Nobody gets an error, until a timeout says so."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import Any

from docker.errors import APIError, NotFound

from ipclab.contract.channel import Sharing, Traits
from labctl.faults import fault, prediction
from labctl.faults.fault import Fault, Target
from labctl.faults.prediction import Loss, Prediction


def needs_network(traits: Traits) -> str:
    """Why a fault of the network makes no sense; empty where it does."""
    return "" if Sharing.NETWORK in traits.requires else "the pair shares no network, and sends nothing over one"


class Cut(Fault):
    name = "cut"
    title = "network of the pair cut"
    does = "takes the consumer out of the pair's network; the end connects it again"
    source = "docker network disconnect; tcp(7), TCP_USER_TIMEOUT"
    touches = frozenset({"network", "consumer"})
    keeps = (("network", str), ("aliases", Sequence[str]))

    def refusal(self, traits: Traits) -> str:
        return needs_network(traits)

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        return Prediction(
            halts=True,
            back_within_s=20.0,
            lost=Loss.MAY,
            reasons=frozenset({prediction.CHANNEL}),
            errnos=frozenset(traits.send_errnos),
            object_stays=fault.stays(traits),
            sources={
                "back_within_s": "ipclab.building_blocks.tcp_silence; arp(7)",
                "lost": traits.fact("persistence").source,
                "errnos": traits.fact("send_errnos").source,
            },
        )

    def before(self, at: Target) -> dict[str, Any]:
        consumer = at.consumer
        networks = consumer.docker.attrs["NetworkSettings"]["Networks"]
        found = {name: endpoint.get("Aliases") or [] for name, endpoint in networks.items()}
        name = next(name for name, aliases in found.items() if "exporter" not in aliases)
        return {"network": name, "aliases": [alias for alias in found[name] if alias != consumer.id]}

    def begin(self, at: Target) -> None:
        at.lab.client.networks.get(at.before["network"]).disconnect(at.consumer.docker)

    def end(self, at: Target) -> None:
        name = at.before["network"]
        with suppress(NotFound):
            consumer = at.consumer.docker
            if name not in consumer.attrs["NetworkSettings"]["Networks"]:
                with suppress(APIError):  # connected by another hand meanwhile
                    at.lab.client.networks.get(name).connect(consumer, aliases=at.before["aliases"])


FAULTS = (Cut(),)
