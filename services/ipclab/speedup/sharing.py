"""One round of the job on several workers: every chunk becomes a task, until each task has its result.

Each worker computes one task and has one more waiting, so it does not wait for the coordinator between two tasks. Where
messages may be lost (`Traits.reliable`), a task without a result is sent again; a second result of the same task
counts as a duplicate and changes nothing else.
"""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress

from ipclab.contract.errors import NO_ANSWER, ChannelFull, PeerGone
from ipclab.speedup.messages import Result, Task
from ipclab.speedup.worker_pool import WorkerPool

TASKS_PER_WORKER = 2
_ROOM_S = 0.001
_POLL_S = 0.1
_SILENCE_S = 60.0
# Longer than the longest task takes beside its neighbours: a slow task is not sent twice.
_RESEND_AFTER_TASKS = 8
_RESEND_AFTER_S = 0.5


def share(pool: WorkerPool, number: int, ranges: Sequence[tuple[int, int]]) -> Shared:
    """Round `number`: count all `ranges`.

    :raises PeerGone: a worker has ended, or no worker has answered for `_SILENCE_S`
    :raises ChannelError: a channel broke
    :raises NotAMessage: the bytes that arrived are no message of the speedup
    """
    shared = Shared(pool, number, ranges)
    shared.run()
    return shared


class Shared:
    """One round, and its costs once `run` has returned. Times in ns, CPU times summed over the processes."""

    def __init__(self, pool: WorkerPool, number: int, ranges: Sequence[tuple[int, int]]) -> None:
        self.primes = 0
        self.wall_ns = 0
        self.computing_ns = 0
        self.moving_workers_ns = 0
        self.moving_coordinator_ns = 0
        self.done: Counter[int] = Counter()
        self.resent = 0
        self.duplicates = 0
        self._pool = pool
        self._round = number
        self._waiting = deque(Task(number, index, *borders) for index, borders in enumerate(ranges))
        self._out: dict[int, _Sent] = {}
        self._in_hand: Counter[int] = Counter()
        self._slowest_s = 0.0

    def run(self) -> None:
        """Send and receive until every task has a result."""
        self._pool.stopwatch.take()
        began_ns = time.monotonic_ns()
        answered = time.monotonic()
        while self._waiting or self._out:
            self._hand_out()
            message = self._pool.receive(_POLL_S)
            if isinstance(message, Result):
                answered = time.monotonic()
                self._enter(message, answered)
            elif time.monotonic() - answered > _SILENCE_S:
                raise PeerGone(f"no worker has answered for {_SILENCE_S:.0f} s", code=NO_ANSWER)
            if not self._pool.reliable:
                self._send_again()
        self.wall_ns = time.monotonic_ns() - began_ns
        self.moving_coordinator_ns = self._pool.stopwatch.take()

    def _hand_out(self) -> None:
        """Send tasks to every worker up to its share. A full mailbox is no error: its workers have tasks enough."""
        for worker in self._pool.workers:
            while self._waiting and self._in_hand[worker] < TASKS_PER_WORKER:
                try:
                    self._pool.send(worker, self._waiting[0], _ROOM_S)
                except ChannelFull:
                    return
                task = self._waiting.popleft()
                self._out[task.number] = _Sent(task, worker)
                self._in_hand[worker] += 1

    def _enter(self, result: Result, now: float) -> None:
        if result.round != self._round or result.number not in self._out:
            self.duplicates += 1
            return
        sent = self._out.pop(result.number)
        self._in_hand[sent.worker] -= 1
        self._slowest_s = max(self._slowest_s, now - sent.at)
        self.primes += result.primes
        self.computing_ns += result.computing_ns
        self.moving_workers_ns += result.moving_ns
        self.done[result.worker] += 1

    def _send_again(self) -> None:
        patience_s = max(_RESEND_AFTER_S, _RESEND_AFTER_TASKS * self._slowest_s)
        for sent in self._out.values():
            if time.monotonic() - sent.at > patience_s:
                with suppress(ChannelFull):  # the same as a lost message
                    self._pool.send(sent.worker, sent.task, _ROOM_S)
                sent.at = time.monotonic()
                self.resent += 1


class _Sent:
    """A task without a result yet: its worker, and the time of sending."""

    def __init__(self, task: Task, worker: int) -> None:
        self.task = task
        self.worker = worker
        self.at = time.monotonic()
