"""What is so, pair by pair, from the samples: plain data, no drawing and no words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from ipclab import mechanisms
from ipclab.contract.channel import Sharing
from ipclab.matrix import errno_rules
from ipclab.matrix.placement import Placement
from labpage.prometheus import Sample

Parts = Mapping[str, list[Sample]]
_FALLING_BEHIND = 0.8  # of what is sent; two counters are scraped at different moments of a second
_MANY_WAITING = 20


class State(StrEnum):
    """The one thing to say about a pair."""

    FLOWS = "flows"
    LOSES = "loses"  # some messages of the last seconds will never arrive
    BEHIND = "behind"  # less arrives than is sent
    REFUSED = "refused"  # nothing arrives, and a system call of the producer fails
    STOPPED = "stopped"  # nothing arrives, and no call fails
    NO_CONSUMER = "no_consumer"
    NO_PRODUCER = "no_producer"
    GONE = "gone"
    RACES = "races"  # the lock is off, and updates of shared memory are lost
    STARTS = "starts"


@dataclass(frozen=True, slots=True)
class Box:
    """One container. What is None was not measured."""

    role: str
    here: bool
    container: str = ""
    ipc: str = ""
    placement: str = ""  # where `./lab place` put it; "" where compose.yaml has it
    memory_bytes: float | None = None
    memory_limit_bytes: float | None = None
    cpu_cores: float | None = None
    restarts: int = 0
    receives: float | None = None
    descriptors: float | None = None


@dataclass(frozen=True, slots=True)
class Held:
    """What the kernel holds between the two sides: bytes or messages in it, of how many."""

    kind: str  # segment, queue, buffer, file
    exists: bool
    used: float | None = None
    limit: float | None = None
    unit: str = "bytes"
    attached: int | None = None
    identity: str = ""


@dataclass(frozen=True, slots=True)
class Failure:
    """How often a send of the producer failed for one reason, and what strerror(3) says of it."""

    count: int
    meaning: str


@dataclass(frozen=True, slots=True)
class Pair:
    """One mechanism: its two sides, what is between them, and its numbers."""

    mechanism: str
    state: State
    shares: str  # what its sides must share: a value of `Sharing`
    apart: bool  # the consumer was moved away from what it must share with the producer
    producers: list[Box]
    consumers: list[Box]
    held: Held
    sent: float | None
    received: float | None
    errors: dict[str, Failure] = field(default_factory=dict)  # by what ipc_send_errors_total calls it: an errno, "full"
    lost: int = 0
    numbers: dict[str, float] = field(default_factory=dict)
    lock_off: list[str] = field(default_factory=list)


def second_host(parts: Parts) -> bool:
    """Whether anything is seen on the second host: a probe, or a consumer that was placed there."""
    return any(s.labels.get("placement") == Placement.SECOND_HOST for s in (*parts["reached"], *parts["placement"]))


def pairs(parts: Parts) -> list[Pair]:
    """Every pair of which a side is there, or was a moment ago."""
    names = {sample.labels["mechanism"] for sample in parts["sides"]} & set(mechanisms.names())
    return [_pair(parts, name) for name in sorted(names)]


def _pair(parts: Parts, name: str) -> Pair:
    producers, consumers = (_boxes(parts, name, role) for role in ("producer", "consumer"))
    traits = mechanisms.load(name).traits
    sent, received = _of(parts["sent"], name), _sum(parts["received"], name)
    errors = {
        s.labels["errno"]: Failure(round(s.value), errno_rules.meaning(s.labels["errno"]))
        for s in _all(parts["errors"], name)
        if round(s.value)
    }
    lost = round(_of(parts["lost"], name) or 0)
    held = _held(parts, name)
    locks = [s.labels["switch"] for s in _all(parts["switch"], name) if s.value == 0 and s.labels["switch"] != "fsync"]
    numbers = {
        key: value
        for key in (
            "median",
            "p99",
            "in_flight",
            "size",
            "wanted",
            "skipped",
            "corrupt",
            "lost_updates",
            "torn_reads",
            "sent_total",
            "received_total",
            "lost_total",
        )
        if (value := _of(parts[key], name)) is not None
    }
    return Pair(
        name,
        state(producers, consumers, sent, received, errors, lost, numbers),
        str(sorted(traits.requires, key=list(Sharing).index)[0]),
        _is_apart(traits.requires, producers, consumers),
        producers,
        consumers,
        held,
        sent,
        received,
        errors,
        lost,
        numbers,
        locks,
    )


def state(
    producers: Iterable[Box],
    consumers: Iterable[Box],
    sent: float | None,
    received: float | None,
    errors: Mapping[str, Failure],
    lost: int,
    numbers: Mapping[str, float],
) -> State:
    """The most important of what is true."""
    sending, receiving = any(box.here for box in producers), any(box.here for box in consumers)
    if not sending and not receiving:
        return State.GONE
    if not receiving:
        return State.NO_CONSUMER
    if not sending:
        return State.NO_PRODUCER
    if not received:
        if received is None:
            return State.STARTS
        return State.REFUSED if errors else State.STOPPED
    if lost:
        return State.LOSES
    if numbers.get("lost_updates") or numbers.get("torn_reads") or numbers.get("corrupt"):
        return State.RACES
    if sent and received < _FALLING_BEHIND * sent and numbers.get("in_flight", 0) > _MANY_WAITING:
        return State.BEHIND
    return State.FLOWS


def _boxes(parts: Parts, mechanism: str, role: str) -> list[Box]:
    found = [s for s in _all(parts["here"], mechanism) if s.labels["role"] == role]
    if not found:
        return [Box(role, here=False)]
    return [_box(parts, sample, role) for sample in sorted(found, key=lambda s: s.labels["container"])]


def _box(parts: Parts, sample: Sample, role: str) -> Box:
    instance = sample.labels["instance"]

    def value(part: str) -> float | None:
        return next((s.value for s in parts[part] if s.labels.get("instance") == instance), None)

    placement = next((s.labels["placement"] for s in parts["placement"] if s.labels["instance"] == instance), "")
    cpus = [cores for cores in (value("cpu"), value("fixed_cpu")) if cores is not None]
    return Box(
        role,
        True,
        sample.labels["container"],
        sample.labels["ipc"],
        placement,
        value("memory"),
        value("memory_limit"),
        sum(cpus) if cpus else None,
        round(value("restarts") or 0),
        value("received"),
        value("descriptors"),
    )


def _is_apart(requires: frozenset[Sharing], producers: list[Box], consumers: list[Box]) -> bool:
    from ipclab.matrix.placement import SHARED

    placed = [box.placement for box in consumers if box.placement]
    if placed:
        return any(not requires <= SHARED[Placement(place)] for place in placed)
    if Sharing.IPC_NAMESPACE in requires or Sharing.DEV_SHM in requires:
        inodes = {box.ipc for box in (*producers, *consumers) if box.here}
        return len(inodes) > 1
    return False


def _held(parts: Parts, name: str) -> Held:
    def owned(part: str) -> Sample | None:
        return next((s for s in parts[part] if s.labels.get("owner") == name), None)

    if (segment := owned("segment_bytes")) is not None:
        attached = owned("segment_attached")
        return Held(
            "segment",
            True,
            segment.value,
            attached=round(attached.value) if attached else None,
            identity=segment.labels.get("key") or segment.labels.get("name", ""),
        )
    if (messages := owned("queue_messages")) is not None:
        limit = owned("queue_limit_messages")
        if limit is not None:
            return Held(
                "queue", True, messages.value, limit.value, "messages", identity=messages.labels.get("name", "")
            )
        used, limit = owned("queue_bytes"), owned("queue_limit_bytes")
        return Held(
            "queue",
            True,
            used.value if used else None,
            limit.value if limit else None,
            identity=messages.labels.get("key", ""),
        )
    if name in _OBJECTS:
        return Held(_OBJECTS[name], exists=False)
    used_here = [s.value for s in _all(parts["buffer"], name)]
    limits = [s.value for s in _all(parts["buffer_limit"], name)]
    if limits:
        return Held("buffer", True, max(used_here, default=None), max(limits))
    return Held("file", True)


# What the kernel table of the holder's namespace has of a pair, if it has it.
_OBJECTS = {"sysv_shm": "segment", "posix_shm": "segment", "sysv_mq": "queue", "posix_mq": "queue"}


def _all(samples: Iterable[Sample], mechanism: str) -> list[Sample]:
    return [sample for sample in samples if sample.labels.get("mechanism") == mechanism]


def _of(samples: Iterable[Sample], mechanism: str) -> float | None:
    return next((sample.value for sample in _all(samples, mechanism)), None)


def _sum(samples: Iterable[Sample], mechanism: str) -> float | None:
    found = _all(samples, mechanism)
    return sum(sample.value for sample in found) if found else None
