"""The coordinator's side of every channel: one sender or one per worker, one receiver or one per worker."""

from __future__ import annotations

from contextlib import ExitStack
from typing import Self

from ipclab.contract.channel import Mechanism, Receiver, Sender
from ipclab.contract.errors import ReceiveTimeout
from ipclab.speedup.messages import MESSAGE_BYTES, Message, decode, encode
from ipclab.speedup.site import Site, Stopwatch, open_patiently

# A worker has its next task already while it computes, so the pause between two looks at its channel costs it nothing.
_GLANCE_S = 0.002


class Team:
    """Speaks to the workers, and hears them. Leaving the `with` block closes, and removes what is the coordinator's."""

    def __init__(self, mechanism: Mechanism, site: Site, workers: int) -> None:
        self.workers = range(1, workers + 1)
        self.reliable = mechanism.traits.reliable
        self.stopwatch = Stopwatch()
        self._mechanism = mechanism
        self._site = site
        self._buffer = memoryview(bytearray(MESSAGE_BYTES))
        self._stack = ExitStack()
        self._results: list[Receiver] = []
        self._senders: dict[int, Sender] = {}

    def __enter__(self) -> Self:
        """Make what the workers look for, and open what they make.

        :raises ChannelError: it cannot be made, or a worker does not come
        """
        traits = self._mechanism.traits
        with ExitStack() as stack:
            for worker in self.workers[:1] if traits.many_senders else self.workers:
                self._results.append(self._made(stack, worker))
            if traits.many_receivers:
                mailbox = self._mechanism.create_receiver(self._site.tasks(1))
                stack.callback(mailbox.remove)
            for worker in self.workers:
                sender = open_patiently(self._mechanism.open_sender, self._site.tasks(worker))
                self._senders[worker] = stack.enter_context(sender)
            self._stack = stack.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def _made(self, stack: ExitStack, worker: int) -> Receiver:
        receiver = self._mechanism.create_receiver(self._site.results(worker))
        stack.callback(receiver.remove)
        return receiver

    def tell(self, worker: int, message: Message, timeout_s: float) -> None:
        """Send to one worker, or through the mailbox to whoever takes it.

        :raises ChannelFull: there is no room now
        :raises ChannelError: the channel broke
        """
        with self.stopwatch.running():
            self._senders[worker].send(encode(message), timeout_s)

    def hear(self, timeout_s: float) -> Message | None:
        """The next message of any worker; None if none came within `timeout_s`.

        :raises ChannelError: a channel broke
        :raises NotAMessage: something else came
        """
        with self.stopwatch.running():
            if len(self._results) == 1:
                return self._hear_from(0, timeout_s)
            for _ in range(max(1, round(timeout_s / _GLANCE_S))):
                for index in range(1, len(self._results)):
                    if message := self._hear_from(index, 0):
                        return message
                self._results.append(self._results.pop(0))  # nobody is always the last
                if message := self._hear_from(0, _GLANCE_S):
                    return message
            return None

    def _hear_from(self, index: int, timeout_s: float) -> Message | None:
        try:
            length = self._results[index].receive_into(self._buffer, timeout_s)
        except ReceiveTimeout:
            return None
        return decode(self._buffer[:length])
