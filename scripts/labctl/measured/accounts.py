"""The accounts of a channel with several consumers or producers: messages by producer and by consumer.

The source is the ledgers, those of the producers first. So every sequence number is accounted for at any moment and
after any death: sent = received + lost + on the way. See docs/decisions/0016-shared-mailbox-accounting.md.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, NamedTuple

from ipclab.accounting import removed_producers
from ipclab.accounting.checker import WINDOW
from ipclab.accounting.ledger import LedgerError, Stream, producer_in, streams_in
from ipclab.accounting.shared import Account, Snapshot, merge
from labctl.lab import containers, state_files
from labctl.lab.containers import Container
from labctl.measured.pairs import PairMeasures
from labctl.terminal.errors import LabError

GONE = "gone"  # containers that were removed: their counts stay
_STATE, _SHARED_LEDGER = "/state", "/ledger"


@dataclass(frozen=True)
class ProducerAccount:
    """One producer's messages, and how many of them each consumer received, by its label."""

    producer: str
    account: Account
    received_by: Mapping[str, int]
    skipped: int = 0  # due and never sent


@dataclass(frozen=True)
class ChannelAccounts:
    """A channel with several containers on one side."""

    mechanism: str
    producers: Sequence[ProducerAccount]
    shared: bool = False  # several consumers take from it, or did when the ledgers were read

    def as_json(self) -> dict[str, Any]:
        """For `status --json`."""
        rows = [
            {
                "producer": row.producer,
                **asdict(row.account),
                "skipped": row.skipped,
                "received_by": dict(row.received_by),
            }
            for row in self.producers
        ]
        return {"mechanism": self.mechanism, "producers": rows}

    def total(self, field: str) -> int:
        """One field of the accounts, over all producers."""
        return sum(getattr(row.account, field) for row in self.producers)


def is_shared(found: Iterable[Container], mechanism: str) -> bool:
    """Whether the consumers of a pair take from one mailbox."""
    pair = containers.of_pair(found, mechanism)
    return any(c.environment.get("LAB_SHARED") for c in pair if not c.is_producer)


def read_all(found: Sequence[Container]) -> list[ChannelAccounts]:
    """The accounts of every channel that has several containers on a side, or a consumer that shares it."""
    mechanisms = sorted({c.mechanism for c in found if c.mechanism and (c.number > 1 or is_shared([c], c.mechanism))})
    return [read(found, mechanism) for mechanism in mechanisms]


def read(found: Sequence[Container], mechanism: str) -> ChannelAccounts:
    """The accounts of one channel.

    :raises LabError: a file is not a ledger
    """
    pair = containers.of_pair(found, mechanism)
    consumers = [container for container in pair if not container.is_producer]
    try:
        sent = _sent([container for container in pair if container.is_producer])
        shared = is_shared(found, mechanism)
        rows = (_shared if shared else _alone)(sent, consumers)
    except (LedgerError, ValueError) as error:
        raise LabError(f"the ledger of {mechanism} cannot be read: {error}", hint="./lab down starts afresh") from error
    return ChannelAccounts(mechanism, rows, shared)


def with_accounts(pairs: Sequence[PairMeasures], channels: Sequence[ChannelAccounts]) -> list[PairMeasures]:
    """The pairs, with the counts that need the ledgers of all consumers."""
    known = {channel.mechanism: channel for channel in channels}
    return [_with(pair, known[pair.mechanism]) if pair.mechanism in known else pair for pair in pairs]


def _with(pair: PairMeasures, accounts: ChannelAccounts) -> PairMeasures:
    lost = accounts.total("lost")
    told = pair.lost_by_reason
    # One alone tells every reason itself, as of the last scrape; of several, only their notes together tell more.
    reasons = {**told, "shared": max(0, lost - sum(told.values()))} if accounts.shared else told
    return replace(
        pair,
        sent=accounts.total("sent"),
        received=accounts.total("received"),
        lost=lost,
        lost_by_reason=reasons,
        duplicated=accounts.total("twice"),
        in_flight=accounts.total("on_the_way"),
    )


class _Sent(NamedTuple):
    """What one producer says of itself."""

    label: str
    taken: int  # sequence numbers
    skipped: int = 0


def _sent(producers: Sequence[Container]) -> dict[int, _Sent]:
    """By identity, of the producers that are there and of those that were taken away."""
    found: dict[int, _Sent] = {}
    for container in producers:
        files = state_files.read(container.docker, _STATE)
        if "producer.ledger" in files:
            identity, taken, skipped = producer_in(files["producer.ledger"])
            found[identity] = _Sent(container.label, taken, skipped)
        if removed_producers.FILE in files:
            found |= {
                identity: _Sent(GONE, *counts)
                for identity, counts in removed_producers.parse(files[removed_producers.FILE]).items()
            }
    return found


def _alone(sent: Mapping[int, _Sent], consumers: Sequence[Container]) -> list[ProducerAccount]:
    """The accounts of a single consumer."""
    rows = []
    files = state_files.read(consumers[0].docker, _STATE) if consumers else {}
    streams = streams_in(files["consumer.ledger"]) if "consumer.ledger" in files else {}
    for identity, (label, taken, skipped) in _with_unknown(sent, {i: s.expected for i, s in streams.items()}):
        stream = streams.get(identity, Stream(0, 0, 0, 0, 0, 0, 0, 0))
        way = taken - stream.received - stream.lost
        account = Account(taken, stream.received, stream.duplicate, stream.lost, way)
        rows.append(
            ProducerAccount(label, account, {consumers[0].label: stream.received} if consumers else {}, skipped)
        )
    return rows


def _shared(sent: Mapping[int, _Sent], consumers: Sequence[Container]) -> list[ProducerAccount]:
    """The accounts of all consumers, past and present, of a shared mailbox; their ledgers are on one volume."""
    notes: dict[int, dict[str, Snapshot]] = {}
    for path, content in state_files.read(consumers[0].docker, _SHARED_LEDGER).items():
        owner, slash, _ = path.partition("/")
        if slash and (note := Snapshot.of(content)):
            notes.setdefault(note.producer, {})[owner] = note
    labels = {container.id: container.label for container in consumers}
    running = [container.id for container in consumers if container.running]
    classes = int(consumers[0].environment.get("LAB_CLASSES") or 1)
    overtaking = WINDOW if classes > 1 and consumers[0].mechanism == "posix_mq" else 0
    rows = []
    for identity, (label, taken, skipped) in _with_unknown(
        sent, {i: max(n.end for n in s.values()) for i, s in notes.items()}
    ):
        of_all = notes.get(identity, {})
        account = merge(taken, list(of_all.values()), [of_all.get(id_) for id_ in running], overtaking=overtaking)
        rows.append(ProducerAccount(label, account, _received_by(of_all, labels), skipped))
    return rows


def _received_by(notes: Mapping[str, Snapshot], labels: Mapping[str, str]) -> dict[str, int]:
    baseline = max((note.baseline for note in notes.values()), default=0)
    counts = dict.fromkeys(labels.values(), 0)
    received_before = max((note.received_before for note in notes.values() if note.baseline == baseline), default=0)
    for owner, note in notes.items():
        if note.end > baseline:
            label = labels.get(owner, GONE)
            counts[label] = counts.get(label, 0) + note.count
    if received_before:  # by the one that was alone before
        first = next(iter(counts), GONE)
        counts[first] = counts.get(first, 0) + received_before
    return counts


def _with_unknown(sent: Mapping[int, _Sent], received: Mapping[int, int]) -> Iterable[tuple[int, _Sent]]:
    """All producers, by label. What was received was sent, by a producer that is gone if nobody knows it."""
    found = dict(sent)
    for identity, end in received.items():
        known = found.get(identity, _Sent(GONE, 0))
        found[identity] = known._replace(taken=max(known.taken, end))
    return sorted(found.items(), key=lambda item: (item[1].label == GONE, item[1].label))
