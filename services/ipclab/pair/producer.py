"""The producer of a pair: sends each message that is due, whatever the channel and the consumer do.

The schedule is open-loop: messages are due at a constant rate, whatever happens to earlier messages. A closed loop
(send, wait, send) would stop asking when the channel is slow, and its latencies would leave out the waiting
("coordinated omission", Gil Tene). The latency of a message therefore counts from its due time.

A message is made in the memory of the channel where the sender loans it, and in a buffer of the producer elsewhere.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Iterable
from functools import partial

from ipclab.accounting import message
from ipclab.accounting.ledger import ProducerLedger
from ipclab.contract.channel import Address, Mechanism, Sender
from ipclab.contract.errors import AccessRefused, ChannelError, ChannelFull, PeerAbsent, PeerGone
from ipclab.contract.optional_parts import FoundByName, LoanSender
from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Sample
from ipclab.metrics.histogram import Histogram
from ipclab.pair.kernel_receiver import KernelReceiver
from ipclab.runtime.lifecycle import TICK_S, EndpointStatus, LogOnce, Stop, log
from ipclab.runtime.overrides import Load, Override

_NS = 1_000_000_000


class Schedule:
    """Due times on CLOCK_MONOTONIC in nanoseconds: message n is due at `start + n / rate`.

    The messages of a burst are due together, at the due time of the first: `start + (n - n % burst) / rate`.
    """

    def __init__(self, rate: int, start_ns: int, burst: int = 1) -> None:
        self._rate = rate
        self._burst = burst
        self._start_ns = start_ns
        self._n = 0
        self.due_ns = start_ns

    @property
    def next_is_due_too(self) -> bool:
        """Whether the message after this one is of the same burst."""
        return (self._n + 1) % self._burst != 0

    def advance(self) -> None:
        """The message that was due is sent: on to the next."""
        self._n += 1
        if not self._n % self._burst:
            self.due_ns = self._start_ns + self._n * _NS // self._rate

    def skip(self, now_ns: int, max_lag_ns: int) -> int:
        """Give up what has been due for more than `max_lag_ns`; return how many that were."""
        keep_from = now_ns - max_lag_ns
        if self.due_ns >= keep_from:
            return 0
        first_kept = -((self._start_ns - keep_from) * self._rate // (_NS * self._burst)) * self._burst
        skipped = first_kept - self._n
        self._n = first_kept
        self.due_ns = self._start_ns + self._n * _NS // self._rate
        return skipped


# A message that has been due for longer is skipped and counted, so a pause leaves no minutes of backlog.
MAX_LAG_NS = 1_000_000_000
_BACKOFF_S = (0.02, 0.5)
_POOL_BYTES = 4096

# Makes the message of this number at this time (CLOCK_MONOTONIC, ns), and sends it.
_Send = Callable[[int, int], None]


class Producer:
    """One sender under its load."""

    def __init__(
        self,
        mechanism: Mechanism,
        address: Address,
        ledger: ProducerLedger,
        load: Override[Load],
        status: EndpointStatus,
        stop: Stop,
    ) -> None:
        self._mechanism = mechanism
        self._address = address
        self._ledger = ledger
        self._load_file = load
        self._status = status
        self._stop = stop
        self._errors = Counter(dict.fromkeys(mechanism.traits.send_errnos, 0))
        self._epoch = time.time_ns()
        self._unsent: int | None = None
        self._late, self._send = Histogram(), Histogram()
        self._kernel = KernelReceiver()
        self._take_up_load()

    def run(self) -> None:
        """Send until told to stop; open the channel again whenever it breaks.

        :raises ChannelError: the mechanism cannot work here
        """
        try:
            self._keep_sending()
        except ChannelError:
            self._give_back_unsent()
            raise
        self._give_back_unsent()

    def _keep_sending(self) -> None:
        wait_s = _BACKOFF_S[0]
        warnings = LogOnce()
        while not self._stop.requested:
            try:
                with self._mechanism.open_sender(self._address) as sender, self._kernel.following(sender):
                    log.info("channel open")
                    warnings.reset()
                    wait_s = _BACKOFF_S[0]
                    self._status.opened()
                    self._pump(sender)
            except (PeerAbsent, PeerGone, AccessRefused) as error:
                self._errors[error.errno_name] += 1
                self._status.closed()
                warnings.warning(f"no channel, trying again: {error.explained()}")
                self._idle(wait_s)
                wait_s = min(2 * wait_s, _BACKOFF_S[1])

    def _give_back_unsent(self) -> None:
        """The number that was taken for a message that surely was not sent is the next life's first."""
        if self._unsent is not None:
            self._ledger.next_sequence, self._unsent = self._unsent, None

    def samples(self) -> Iterable[Sample]:
        """The metrics of this producer."""
        # In this order: the loop's thread takes and gives back numbers meanwhile, and the count must never fall.
        taken = self._ledger.next_sequence
        unsent = self._unsent
        yield Sample(metrics.SENT, taken if unsent is None else unsent)
        yield Sample(metrics.SKIPPED, self._ledger.skipped)
        for errno_name, count in list(self._errors.items()):
            yield Sample(metrics.SEND_ERRORS, count, (errno_name,))
        yield Sample(metrics.MESSAGE_PART, self._late, ("late",))
        yield Sample(metrics.MESSAGE_PART, self._send, ("send",))
        yield from self._kernel.samples()
        yield Sample(metrics.LOAD_RATE, self._load.rate)
        yield Sample(metrics.LOAD_BURST, self._load.burst)
        yield Sample(metrics.MESSAGE_SIZE, self._load.size_bytes)
        yield from self._status.samples()

    def _pump(self, sender: Sender) -> None:
        """Send on one open channel until it breaks or we stop."""
        clock = time.monotonic_ns
        check_linked = sender.check_linked if isinstance(sender, FoundByName) else None
        send: _Send = (
            partial(self._make_in_place, sender)
            if isinstance(sender, LoanSender)
            else partial(self._make_and_send, sender)
        )
        while not self._stop.requested:
            now = clock()
            if self._status.tick(now):
                if check_linked:
                    check_linked()
                self._kernel.tick()
                self._follow_load()
                self._skip_overdue(now)
            early = self._schedule.due_ns - now
            if early > 0:
                time.sleep(min(early, max(self._status.next_ns - now, 0)) / 1e9)
                continue
            self._send_one(send, now)

    def _send_one(self, send: _Send, now: int) -> None:
        """Send the message that is due. On failure its number is kept for the next try, unless it may have arrived."""
        if self._unsent is None:
            self._unsent = self._ledger.next_sequence
            self._ledger.next_sequence = self._unsent + 1
        sequence = self._unsent
        try:
            send(sequence, now)
        except ChannelFull as error:
            self._errors[error.errno_name] += 1
        except ChannelError as error:
            if error.may_be_delivered:
                self._unsent = None
                self._schedule.advance()
            raise
        else:
            self._unsent = None
            if not sequence % metrics.PART_OF:
                self._late.record(now - self._schedule.due_ns)
                self._send.record(time.monotonic_ns() - now)
            self._schedule.advance()

    def _make_and_send(self, sender: Sender, sequence: int, now: int) -> None:
        self._make(self._message, sequence, now)
        sender.send(self._message, TICK_S)

    def _make_in_place(self, sender: LoanSender, sequence: int, now: int) -> None:
        self._make(sender.loan(self._load.size_bytes, TICK_S), sequence, now)
        sender.commit(more=self._schedule.next_is_due_too)

    def _make(self, whole: memoryview, sequence: int, now: int) -> None:
        """Write the bytes, which differ from message to message, so that a mix of two fails the checksum; seal them."""
        begin = sequence % _POOL_BYTES
        whole[message.HEADER_BYTES :] = self._pool[begin : begin + len(whole) - message.HEADER_BYTES]
        message.seal(
            whole,
            producer=self._ledger.identity,
            epoch=self._epoch,
            sequence=sequence,
            due_ns=self._schedule.due_ns,
            sent_ns=now,
        )

    def _idle(self, seconds: float) -> None:
        """Pass the time without a channel; messages go on being due, and overdue."""
        now = time.monotonic_ns()
        if self._status.tick(now):
            self._follow_load()
            self._skip_overdue(now)
        time.sleep(seconds)

    def _skip_overdue(self, now: int) -> None:
        if skipped := self._schedule.skip(now, MAX_LAG_NS):
            self._ledger.skipped += skipped

    def _follow_load(self) -> None:
        if self._load_file.changed():
            self._ledger.skipped += self._schedule.skip(time.monotonic_ns(), 0)  # the new schedule knows only its own
            self._take_up_load()
            log.info("load: %s", self._load.in_words())

    def _take_up_load(self) -> None:
        self._load = self._load_file.current()
        self._message = memoryview(bytearray(self._load.size_bytes))
        self._pool = memoryview(os.urandom(_POOL_BYTES + self._load.size_bytes))
        self._schedule = Schedule(self._load.rate, time.monotonic_ns(), self._load.burst)
