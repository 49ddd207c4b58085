"""When to take a mechanism and when not, as keys of the sheets' words: each one follows from the traits alone."""

from __future__ import annotations

from collections.abc import Callable

from ipclab.contract.channel import Direction, Kind, OnFull, Persistence, Sharing, Traits

LARGEST_BYTES = 1 << 20  # the lab's own limit; less is the kernel's
_Rule = Callable[[Traits], bool]


def _crosses_hosts(traits: Traits) -> bool:
    return Sharing.NETWORK in traits.requires


def _is_shared_memory(traits: Traits) -> bool:
    return traits.kind is Kind.SHARED_MEMORY


def _outlives_processes(traits: Traits) -> bool:
    return traits.persistence is not Persistence.PROCESS


TAKE: dict[str, _Rule] = {
    "two_hosts": _crosses_hosts,
    "large": _is_shared_memory,
    "borders": lambda traits: traits.kind is Kind.MESSAGE,
    "stream": lambda traits: traits.kind is Kind.BYTE_STREAM,
    "waits_for_consumer": lambda traits: _outlives_processes(traits) and traits.kind is not Kind.SHARED_MEMORY,
    "survives_reboot": lambda traits: traits.persistence is Persistence.FILESYSTEM,
    "share_work": lambda traits: traits.many_receivers,
    "many_senders": lambda traits: traits.many_senders,
    "reply": lambda traits: traits.direction is Direction.TWO_WAY,
    "freshness": lambda traits: traits.on_full is OnFull.DROP,
    "backpressure": lambda traits: traits.reliable and traits.on_full is OnFull.BLOCK,
}
LEAVE: dict[str, _Rule] = {
    "one_host": lambda traits: not _crosses_hosts(traits),
    "synchronization": _is_shared_memory,
    "reply": lambda traits: traits.direction is Direction.ONE_WAY,
    "small": lambda traits: traits.max_message_bytes < LARGEST_BYTES,
    "loses": lambda traits: not traits.reliable,
    "order": lambda traits: not traits.ordered,
    "dies": lambda traits: not _outlives_processes(traits),
    "framing": lambda traits: traits.kind is Kind.BYTE_STREAM,
    "one_receiver": lambda traits: not traits.many_receivers,
    "one_sender": lambda traits: not traits.many_senders,
    "cleanup": lambda traits: traits.persistence is Persistence.KERNEL,
}


def take(traits: Traits) -> list[str]:
    """Keys of the reasons to take it, the strongest first."""
    return [key for key, applies in TAKE.items() if applies(traits)]


def leave(traits: Traits) -> list[str]:
    """Keys of the reasons to leave it, the strongest first."""
    return [key for key, applies in LEAVE.items() if applies(traits)]
