"""A worker: takes a task, counts, and sends the result, until the coordinator sends Stop."""

from __future__ import annotations

import time

from ipclab.contract.channel import Mechanism, Receiver, Sender
from ipclab.contract.errors import NO_ANSWER, ChannelFull, PeerGone, ReceiveTimeout
from ipclab.speedup.job import count_primes
from ipclab.speedup.messages import MESSAGE_BYTES, Left, Message, Ready, Result, Stop, Task, decode, encode
from ipclab.speedup.topology import Stopwatch, Topology, open_patiently

_IDLE_LIMIT_S = 180.0  # the coordinator computes alone for much less than this
_SEND_WITHIN_S = 30.0
_POLL_S = 0.1
_ASK_AGAIN_AFTER_POLLS = 10


def work(mechanism: Mechanism, topology: Topology, number: int) -> None:
    """Do the tasks of worker `number`.

    :raises ChannelError: a channel cannot be opened or broke, or no task came for `_IDLE_LIMIT_S`
    :raises NotAMessage: the bytes that arrived are no message of the speedup
    """
    with mechanism.create_receiver(topology.tasks(number)) as tasks:
        with open_patiently(mechanism.open_sender, topology.results(number)) as results:
            _Worker(tasks, results, number, reliable=mechanism.traits.reliable).run()
        if not mechanism.traits.many_receivers:  # other workers may still take their Stop from a shared mailbox
            tasks.remove()


class _Worker:
    def __init__(self, tasks: Receiver, results: Sender, number: int, *, reliable: bool) -> None:
        self._tasks = tasks
        self._results = results
        self._number = number
        self._is_answered = reliable
        self._buffer = memoryview(bytearray(MESSAGE_BYTES))
        self._stopwatch = Stopwatch()

    def run(self) -> None:
        self._send(Ready(self._number))
        while isinstance(task := self._next(), Task):
            self._is_answered = True
            began_ns = time.thread_time_ns()
            primes = count_primes(task.low, task.high)
            computing_ns = time.thread_time_ns() - began_ns
            costs = computing_ns, self._stopwatch.take()
            self._send(Result(self._number, task.round, task.number, primes, *costs))
        try:
            self._send(Left(self._number))
        except PeerGone as error:
            # Otherwise an awake coordinator took `Left`, and removed its ring before the notifier was called.
            if not error.may_be_delivered:
                raise

    def _next(self) -> Task | Stop:
        """The next task, or `Stop`."""
        for poll in range(1, round(_IDLE_LIMIT_S / _POLL_S)):
            try:
                with self._stopwatch.running():
                    length = self._tasks.receive_into(self._buffer, _POLL_S)
            except ReceiveTimeout:
                self._stopwatch.take()  # between two rounds: an empty poll belongs to neither round
                if not self._is_answered and poll % _ASK_AGAIN_AFTER_POLLS == 0:
                    self._send(Ready(self._number))
                continue
            message = decode(self._buffer[:length])
            if isinstance(message, Task | Stop):
                return message
        raise PeerGone(f"worker {self._number} got no task for {_IDLE_LIMIT_S:.0f} s", code=NO_ANSWER)

    def _send(self, message: Message) -> None:
        deadline = time.monotonic() + _SEND_WITHIN_S
        while True:
            try:
                with self._stopwatch.running():
                    self._results.send(encode(message), 1.0)
            except ChannelFull:
                if time.monotonic() > deadline:
                    raise
            else:
                return
