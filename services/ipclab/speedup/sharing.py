"""One round of the job on several workers: every chunk becomes a task, until each has its result.

Each worker has a task in hand and one more waiting, so that it need not wait for the coordinator between two. Where
messages may be lost (`Traits.reliable`), a task without a result is sent again; the result that comes second counts
as a duplicate and nothing else.
"""

from __future__ import annotations

import errno
import time
from collections import Counter, deque
from collections.abc import Sequence
from contextlib import suppress

from ipclab.contract.errors import ChannelFull, PeerGone
from ipclab.speedup.messages import Result, Task
from ipclab.speedup.team import Team

TASKS_PER_WORKER = 2
_ROOM_S = 0.001
_LOOK_UP_S = 0.1
_SILENCE_S = 60.0
# Longer than the longest task takes beside its neighbours: what is only slow is not to be sent twice.
_RESEND_AFTER_TASKS = 8
_RESEND_AFTER_S = 0.5


def share(team: Team, number: int, ranges: Sequence[tuple[int, int]]) -> Shared:
    """Round `number`: count all `ranges`.

    :raises PeerGone: a worker is gone, or none has answered for `_SILENCE_S`
    :raises ChannelError: a channel broke
    :raises NotAMessage: something else came
    """
    shared = Shared(team, number, ranges)
    shared.run()
    return shared


class Shared:
    """A round, and when `run` has returned what it took. Times in ns, CPU times summed over the processes."""

    def __init__(self, team: Team, number: int, ranges: Sequence[tuple[int, int]]) -> None:
        self.primes = 0
        self.wall_ns = 0
        self.computing_ns = 0
        self.moving_workers_ns = 0
        self.moving_coordinator_ns = 0
        self.done: Counter[int] = Counter()
        self.resent = 0
        self.duplicates = 0
        self._team = team
        self._round = number
        self._waiting = deque(Task(number, index, *borders) for index, borders in enumerate(ranges))
        self._out: dict[int, _Sent] = {}
        self._in_hand: Counter[int] = Counter()
        self._slowest_s = 0.0

    def run(self) -> None:
        """Until there is a result for every task."""
        self._team.stopwatch.take()
        began_ns = time.monotonic_ns()
        heard = time.monotonic()
        while self._waiting or self._out:
            self._hand_out()
            message = self._team.hear(_LOOK_UP_S)
            if isinstance(message, Result):
                heard = time.monotonic()
                self._enter(message, heard)
            elif time.monotonic() - heard > _SILENCE_S:
                raise PeerGone(f"no worker has answered for {_SILENCE_S:.0f} s", code=errno.ETIMEDOUT)
            if not self._team.reliable:
                self._send_again()
        self.wall_ns = time.monotonic_ns() - began_ns
        self.moving_coordinator_ns = self._team.stopwatch.take()

    def _hand_out(self) -> None:
        """Give every worker as much as it may have; a full mailbox is no error, its workers have enough."""
        for worker in self._team.workers:
            while self._waiting and self._in_hand[worker] < TASKS_PER_WORKER:
                try:
                    self._team.tell(worker, self._waiting[0], _ROOM_S)
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
                with suppress(ChannelFull):  # as good as lost
                    self._team.tell(sent.worker, sent.task, _ROOM_S)
                sent.at = time.monotonic()
                self.resent += 1


class _Sent:
    """A task that is on its way or in hand, who was given it, and when."""

    def __init__(self, task: Task, worker: int) -> None:
        self.task = task
        self.worker = worker
        self.at = time.monotonic()
