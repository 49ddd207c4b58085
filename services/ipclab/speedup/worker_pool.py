"""The coordinator's side of every channel: one sender or one per worker, one receiver or one per worker."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from ipclab.contract.channel import Mechanism, Receiver, Sender
from ipclab.contract.errors import PeerGone, ReceiveTimeout
from ipclab.speedup.messages import MESSAGE_BYTES, Message, decode, encode
from ipclab.speedup.topology import Stopwatch, Topology, open_patiently

# A worker has its next task while it computes: the pause between two polls of its channel costs no time.
_POLL_S = 0.002


class WorkerPool:
    """The workers of one run. Leaving the `with` block closes all channels and removes those of the coordinator."""

    def __init__(self, mechanism: Mechanism, topology: Topology, workers: int) -> None:
        self.workers = range(1, workers + 1)
        self.reliable = mechanism.traits.reliable
        self.stopwatch = Stopwatch()
        self._mechanism = mechanism
        self._topology = topology
        self._buffer = memoryview(bytearray(MESSAGE_BYTES))
        self._stack = ExitStack()
        self._results: list[Receiver] = []
        self._senders: dict[int, Sender] = {}
        self._refused: set[int] = set()

    def __enter__(self) -> Self:
        """Create the coordinator's receivers, and open the channels of the workers.

        :raises ChannelError: a receiver cannot be created, or a worker does not start
        """
        traits = self._mechanism.traits
        with ExitStack() as stack:
            for worker in self.workers[:1] if traits.many_senders else self.workers:
                self._results.append(self._create_results(stack, worker))
            if traits.many_receivers:
                mailbox = self._mechanism.create_receiver(self._topology.tasks(1))
                stack.callback(mailbox.remove)
            for worker in self.workers:
                sender = open_patiently(self._mechanism.open_sender, self._topology.tasks(worker))
                self._senders[worker] = stack.enter_context(sender)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _create_results(self, stack: ExitStack, worker: int) -> Receiver:
        receiver = self._mechanism.create_receiver(self._topology.results(worker))
        stack.callback(receiver.remove)
        return receiver

    def send(self, worker: int, message: Message, timeout_s: float) -> None:
        """Send to one worker, or into the mailbox of all workers.

        Where messages may be lost, the first refusal of a worker is of an earlier message: of the datagram that looked
        for the worker, if its answer came late (udp(7)). The message is sent after it.

        :raises ChannelFull: no room within `timeout_s`
        :raises ChannelError: the channel broke
        """
        with self.stopwatch.running():
            try:
                self._senders[worker].send(encode(message), timeout_s)
            except PeerGone:
                if self.reliable or worker in self._refused:
                    raise
                self._refused.add(worker)
                self._senders[worker].send(encode(message), timeout_s)

    def receive(self, timeout_s: float) -> Message | None:
        """The next message of any worker; None if none came within `timeout_s`.

        :raises ChannelError: a channel broke
        :raises NotAMessage: the bytes that arrived are no message of the speedup
        """
        with self.stopwatch.running():
            if len(self._results) == 1:
                return self._receive_from(0, timeout_s)
            for _ in range(max(1, round(timeout_s / _POLL_S))):
                for index in range(1, len(self._results)):
                    if message := self._receive_from(index, 0):
                        return message
                self._results.append(self._results.pop(0))  # every worker is the first to be polled in turn
                if message := self._receive_from(0, _POLL_S):
                    return message
            return None

    def _receive_from(self, index: int, timeout_s: float) -> Message | None:
        try:
            length = self._results[index].receive_into(self._buffer, timeout_s)
        except ReceiveTimeout:
            return None
        return decode(self._buffer[:length])
