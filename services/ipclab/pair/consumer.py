"""The consumer of a pair: receives, checks and accounts for messages, and measures their latency.

The consumer exports the kernel's counts of its open receiver too. It asks the kernel once a tick, in the thread that
receives, never once a message.

A message is checked in the memory of the channel where the receiver borrows it, and in a buffer of the consumer
elsewhere. A borrowed message is entered in the ledger before it is released, so a consumer that is killed loses none.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import partial

from ipclab.accounting import message
from ipclab.accounting.checker import Checker
from ipclab.accounting.ledger import NoAccount
from ipclab.accounting.message import CorruptMessage
from ipclab.accounting.shared import SharedChecker
from ipclab.contract.channel import Address, Mechanism, Receiver
from ipclab.contract.errors import AccessRefused, MessageTooLarge, PeerAbsent, PeerGone, ReceiveTimeout, TornMessage
from ipclab.contract.optional_parts import BorrowReceiver, Classifies, SaysHowItWaits
from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Sample
from ipclab.metrics.histogram import Histogram
from ipclab.pair.kernel_receiver import KernelReceiver
from ipclab.runtime.lifecycle import TICK_S, EndpointStatus, LogOnce, Stop, log


def class_samples(mechanism: Mechanism) -> Iterable[Sample]:
    """The messages of each class since the consumer started; none for a mechanism without classes."""
    if isinstance(mechanism, Classifies):
        for number, count in sorted(mechanism.received_by_class.copy().items()):
            yield Sample(metrics.RECEIVED_BY_CLASS, count, (mechanism.class_name, str(number)))


_RETRY_S = 0.2


class Consumer:
    """One receiver and its accounts."""

    def __init__(
        self,
        mechanism: Mechanism,
        address: Address,
        checker: Checker | SharedChecker,
        status: EndpointStatus,
        stop: Stop,
    ) -> None:
        self._mechanism = mechanism
        self._address = address
        self._checker = checker
        self._status = status
        self._stop = stop
        self._latency, self._transit, self._check = Histogram(), Histogram(), Histogram()
        self._kernel = KernelReceiver()
        self._bytes = 0
        self._buffer = memoryview(bytearray(mechanism.traits.max_message_bytes))

    def run(self) -> None:
        """Receive until told to stop; make the channel again whenever it is taken away."""
        warnings = LogOnce()
        while not self._stop.requested:
            try:
                with self._mechanism.create_receiver(self._address) as receiver:
                    with self._kernel.following(receiver):
                        log.info("channel open")
                        warnings.reset()
                        self._status.opened(receiver.waits_by if isinstance(receiver, SaysHowItWaits) else None)
                        self._drain(receiver)
                    if self._stop.begin_anew:
                        receiver.remove()
            except (PeerAbsent, PeerGone, AccessRefused) as error:
                self._status.closed()
                self._status.tick(time.monotonic_ns())
                warnings.warning(f"no channel, trying again: {error.explained()}")
                time.sleep(_RETRY_S)

    def samples(self) -> Iterable[Sample]:
        """The metrics of this consumer."""
        streams = list(self._checker.streams())
        yield Sample(metrics.RECEIVED, sum(s.received for s in streams))
        yield Sample(metrics.RECEIVED_BYTES, self._bytes)
        yield Sample(metrics.LOST, sum(s.lost_in_channel for s in streams), ("channel",))
        yield Sample(metrics.LOST, sum(s.lost_at_producer_restart for s in streams), ("producer_restart",))
        yield Sample(metrics.LOST, sum(s.lost_at_consumer_restart for s in streams), ("consumer_restart",))
        yield Sample(metrics.DUPLICATE, sum(s.duplicate for s in streams))
        yield Sample(metrics.REORDERED, sum(s.reordered for s in streams))
        yield Sample(metrics.CORRUPT, self._checker.corrupt_count)
        yield from class_samples(self._mechanism)
        yield Sample(metrics.SHARED, self._checker.shared)
        yield Sample(metrics.LATENCY, self._latency)
        yield Sample(metrics.MESSAGE_PART, self._transit, ("transit",))
        yield Sample(metrics.MESSAGE_PART, self._check, ("check",))
        yield from self._kernel.samples()
        yield from self._status.samples()

    def _drain(self, receiver: Receiver) -> None:
        """Receive on one open channel until it breaks or we stop."""
        clock = time.monotonic_ns
        receive: Callable[[], int] = (
            partial(self._receive_in_place, receiver)
            if isinstance(receiver, BorrowReceiver)
            else partial(self._receive, receiver)
        )
        while not self._stop.requested:
            try:
                now = receive()
            except ReceiveTimeout:
                now = clock()
            except (TornMessage, MessageTooLarge, CorruptMessage, NoAccount) as error:
                now = clock()
                log.warning("corrupt: %s", error)
                self._checker.corrupt()
            if self._status.tick(now):
                self._kernel.tick()
                self._checker.tick()

    def _receive(self, receiver: Receiver) -> int:
        """Receive one message and account for it; the time of its arrival."""
        length = receiver.receive_into(self._buffer, TICK_S)
        now = time.monotonic_ns()
        self._account(self._buffer[:length], now)
        return now

    def _receive_in_place(self, receiver: BorrowReceiver) -> int:
        """The same, of a message that stays where it is."""
        arrived = receiver.borrow(TICK_S)
        now = time.monotonic_ns()
        try:
            self._account(arrived, now)
        finally:
            receiver.release()
        return now

    def _account(self, arrived: memoryview, now: int) -> None:
        header = message.parse(arrived)
        self._checker.account(header.producer, header.epoch, header.sequence)
        self._latency.record(now - header.due_ns)
        self._bytes += len(arrived)
        if not header.sequence % metrics.PART_OF:
            self._transit.record(now - header.sent_ns)
            self._check.record(time.monotonic_ns() - now)
