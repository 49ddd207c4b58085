"""The checker of a consumer: every sequence number is received once, a duplicate, or lost with the reason.

The checker is pure: it knows messages by number only, and keeps its accounts in a `ConsumerLedger`. Within one stream

    sent by the producer = received + lost + missing + still on the way

holds at every moment. A gap of an ordered mechanism is lost at once. A gap of a mechanism that reorders is missing
until it is filled (counted as reordered) or is `WINDOW` numbers old (lost). Where the mechanism may drop messages, a
missing number is lost after `PATIENCE` ticks too: at a slow rate its loss would stay unseen otherwise.

A consumer that borrows its messages enters a number before it releases the message. If it is killed in between, its
next life finds the message again (`gives_back`): the last number that was entered is then no duplicate.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ipclab.accounting.ledger import ConsumerLedger, Stream, StreamRecord

WINDOW = 1024
PATIENCE = 8  # ticks of `lifecycle.TICK_S`, 2 s: no network of the lab keeps a datagram for so long


class _ProducerState:
    """One producer's stream: the record on file, its copy in memory, and the open gaps."""

    def __init__(self, record: StreamRecord) -> None:
        self.record = record
        self._stream = record.read()
        self.expected = self._stream.expected  # changes with every message
        self.epoch = self._stream.epoch
        self.gaps: dict[int, int] = {}  # a number that is missing: the tick at which that was seen
        self.fresh = True  # no message seen in this life of the consumer

    @property
    def stream(self) -> Stream:
        """The stream as it stands."""
        return self._stream._replace(expected=self.expected)

    @stream.setter
    def stream(self, stream: Stream) -> None:
        self.record.write(stream)
        self._stream, self.expected, self.epoch = stream, stream.expected, stream.epoch


class Checker:
    """The accounts of a consumer that has its channel to itself, over all producers."""

    shared = False

    def __init__(
        self, ledger: ConsumerLedger, *, ordered: bool, reliable: bool = True, gives_back: bool = False
    ) -> None:
        self._ledger = ledger
        self._ordered = ordered
        self._reliable = reliable
        self._gives_back = gives_back
        self._ticks = 0
        self._producers: dict[int, _ProducerState] = {}
        for producer, record in ledger.records.items():
            state = self._producers[producer] = _ProducerState(record)
            # Numbers that were missing before a restart can no longer be told from lost ones.
            if missing := state.stream.missing:
                lost = state.stream.lost_at_consumer_restart + missing
                state.stream = state.stream._replace(missing=0, lost_at_consumer_restart=lost)

    def account(self, producer: int, epoch: int, sequence: int) -> None:
        """Enter one message that arrived whole.

        :raises NoAccount: its producer is one too many
        """
        state = self._producers.get(producer)
        if state is None:
            state = self._producers[producer] = _ProducerState(self._ledger.record_of(producer))
        if sequence == state.expected and epoch == state.epoch and not state.gaps:
            state.expected = sequence + 1
            state.record.advance(sequence + 1)
        else:
            state.stream = self._irregular(state, epoch, sequence)
        state.fresh = False

    def tick(self) -> None:
        """One tick has passed: give up numbers that have been missing for too long."""
        self._ticks += 1
        if self._reliable:
            return
        for state in self._producers.values():
            given_up = [number for number, seen in state.gaps.items() if self._ticks - seen > PATIENCE]
            if given_up:
                state.stream = self._give_up(state, state.stream, given_up)

    def corrupt(self) -> None:
        """Enter one arrival that differs from any sent message; its number will show up as a gap."""
        self._ledger.corrupt += 1

    @property
    def corrupt_count(self) -> int:
        """Arrivals that were no message as it was sent."""
        return self._ledger.corrupt

    def streams(self) -> Iterable[Stream]:
        """The stream of every producer."""
        return [state.stream for state in list(self._producers.values())]

    def _irregular(self, state: _ProducerState, epoch: int, sequence: int) -> Stream:
        stream = state.stream
        if sequence < stream.expected:
            if sequence not in state.gaps:
                if self._gives_back and state.fresh and (epoch, sequence + 1) == (stream.epoch, stream.expected):
                    return stream
                return stream._replace(duplicate=stream.duplicate + 1)
            del state.gaps[sequence]
            return stream._replace(missing=stream.missing - 1, reordered=stream.reordered + 1)
        gap = sequence - stream.expected
        new_epoch = epoch != stream.epoch
        stream = stream._replace(epoch=epoch, expected=sequence + 1)
        if state.fresh:
            return stream._replace(lost_at_consumer_restart=stream.lost_at_consumer_restart + gap)
        if new_epoch:
            return stream._replace(lost_at_producer_restart=stream.lost_at_producer_restart + gap)
        if self._ordered:
            return stream._replace(lost_in_channel=stream.lost_in_channel + gap)
        state.gaps.update(dict.fromkeys(range(max(sequence - gap, sequence - WINDOW), sequence), self._ticks))
        beyond = max(0, gap - WINDOW)
        stream = stream._replace(missing=stream.missing + gap - beyond, lost_in_channel=stream.lost_in_channel + beyond)
        return self._give_up(state, stream, [number for number in state.gaps if number < sequence - WINDOW])

    @staticmethod
    def _give_up(state: _ProducerState, stream: Stream, numbers: Sequence[int]) -> Stream:
        for number in numbers:
            del state.gaps[number]
        lost = stream.lost_in_channel + len(numbers)
        return stream._replace(missing=stream.missing - len(numbers), lost_in_channel=lost)
