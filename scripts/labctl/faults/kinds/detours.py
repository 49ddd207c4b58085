"""Latency, loss, duplicates, reordering, small segments and resets on the network of a pair.

The packets from the producer to the consumer take a detour through the fault's own container, which has joined the
pair's network (`ipclab.linux.link`). It stands in for netem, which many kernels lack: one instrument everywhere. See
docs/decisions/0064-detour-instead-of-netem.md.
"""

from __future__ import annotations

import ipaddress
from typing import Any, ClassVar

from ipclab.contract.channel import Kind, Traits
from labctl.faults import fault, prediction
from labctl.faults.container import in_network_of
from labctl.faults.fault import Fault, Strength, Target
from labctl.faults.kinds.cut import needs_network
from labctl.faults.prediction import Loss, Prediction
from labctl.terminal.errors import LabError

_OWN_ADDRESS = "host"


class _Detour(Fault):
    treatment: ClassVar[str]
    source = "ipclab.linux.link; packet(7), arp(7)"
    touches = frozenset({"network"})
    keeps = (("address", str),)
    streams_only: ClassVar[bool] = False  # it is done to segments of TCP

    def refusal(self, traits: Traits) -> str:
        if reason := needs_network(traits):
            return reason
        if self.streams_only and traits.kind is not Kind.BYTE_STREAM:
            return "a datagram is delivered whole: it has no segments and no connection"
        return ""

    def before(self, at: Target) -> dict[str, Any]:
        return {"address": _pair_address(at)}

    def arguments(self, at: Target) -> list[str]:
        # Options that come later win: the container asks for the address, not for the name.
        return [f"--detour={self.treatment}", f"--strength={at.strength}", f"--host={at.before['address']}"]

    def options(self, at: Target) -> dict[str, Any]:
        del at
        return {"user": "0:0", "cap_add": ["NET_RAW"], "sysctls": {"net.ipv4.ip_forward": "0"}}

    def begin(self, at: Target) -> None:
        address = at.before["address"]
        own = at.read("link-address", text=address)["address"]
        in_network_of(at.lab, at.producer, "detour", f"{address} {own}")

    def end(self, at: Target) -> None:
        producer = at.producer
        if producer.running:
            in_network_of(at.lab, producer, "direct", at.before["address"])

    def predict(self, traits: Traits, strength: int) -> Prediction:
        del strength
        return Prediction(
            halts=False,
            back_within_s=15.0,
            errnos=frozenset(traits.send_errnos),
            object_stays=fault.stays(traits),
            sources={"lost": traits.fact("reliable").source, "errnos": traits.fact("send_errnos").source},
        )


def _pair_address(at: Target) -> str:
    """The consumer's IPv4 address in the pair's own network."""
    networks = at.consumer.docker.attrs["NetworkSettings"]["Networks"]
    for endpoint in networks.values():
        if "exporter" not in (endpoint.get("Aliases") or []) and endpoint["IPAddress"]:
            return str(ipaddress.IPv4Address(endpoint["IPAddress"]))
    raise LabError(f"the consumer of {at.mechanism} is in no network of the pair", hint=f"./lab up {at.mechanism}")


class Latency(_Detour):
    name = "latency"
    title = "latency on the network"
    does = "holds each packet to the consumer back for so long"
    strength = Strength(50, 1, 2000, "ms")
    treatment = "latency"


class PacketLoss(_Detour):
    name = "loss"
    title = "packets lost"
    does = "drops so many percent of the packets to the consumer"
    strength = Strength(10, 1, 90, "% of the packets")
    treatment = "loss"

    def predict(self, traits: Traits, strength: int) -> Prediction:
        base = super().predict(traits, strength)
        if traits.reliable:
            return base
        return Prediction(
            halts=False,
            back_within_s=base.back_within_s,
            lost=Loss.SURE,
            reasons=frozenset({prediction.CHANNEL}),
            errnos=base.errnos,
            sources=base.sources,
        )


class Duplicates(_Detour):
    name = "duplicates"
    title = "packets sent twice"
    does = "sends so many percent of the packets to the consumer twice"
    strength = Strength(20, 1, 100, "% of the packets")
    treatment = "duplicate"


class Reordering(_Detour):
    name = "reordering"
    title = "packets overtaken"
    does = "holds so many percent of the packets back for 20 ms, so that later ones overtake them"
    strength = Strength(20, 1, 90, "% of the packets")
    treatment = "reorder"


class Slicing(_Detour):
    name = "slicing"
    title = "small TCP segments"
    does = "cuts the stream into segments of at most so many bytes"
    strength = Strength(64, 1, 1400, "bytes")
    treatment = "slice"
    streams_only = True


class Resets(_Detour):
    name = "resets"
    title = "TCP connections reset"
    does = "ends the connection by a forged reset to both sides, every so many seconds"
    source = "RFC 9293, 3.5.2; RFC 5961"
    strength = Strength(5, 1, 60, "s")
    treatment = "reset"
    streams_only = True

    def predict(self, traits: Traits, strength: int) -> Prediction:
        base = super().predict(traits, strength)
        return Prediction(
            halts=None,
            back_within_s=base.back_within_s,
            lost=Loss.MAY,  # what the producer's kernel had taken and the consumer's had not
            reasons=frozenset({prediction.CHANNEL}),
            errnos=frozenset(traits.send_errnos),
            sources={**base.sources, "lost": traits.fact("persistence").source},
        )


FAULTS = (Latency(), PacketLoss(), Duplicates(), Reordering(), Slicing(), Resets())
