"""The coordinator: does the whole job alone, then shares it, and compares the two; as many rounds as asked."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass

from ipclab.contract.errors import FULL, NO_ANSWER, ChannelFull, PeerAbsent, PeerGone
from ipclab.speedup.job import count_primes, split
from ipclab.speedup.messages import Left, Ready, Stop
from ipclab.speedup.sharing import share
from ipclab.speedup.topology import OPEN_WITHIN_S
from ipclab.speedup.worker_pool import WorkerPool

_SEND_S = 1.0
_POLL_S = 0.1
_LEFT_WITHIN_S = 10.0


class WrongResult(Exception):
    """The workers' counts do not add up to what one process counts."""


@dataclass(frozen=True, slots=True)
class Round:
    """One comparison. Times in ns: wall time of both ways; CPU time of all processes in `computing` and `moving`.

    `tasks_done` has the tasks of each worker, in the order of their numbers; `resent` and `duplicates` count tasks
    that were sent again and results that came again: no more than 0 where the mechanism is reliable.
    """

    round: int
    primes: int
    alone_wall_ns: int
    alone_computing_ns: int
    wall_ns: int
    computing_ns: int
    moving_workers_ns: int
    moving_coordinator_ns: int
    tasks_done: tuple[int, ...]
    resent: int
    duplicates: int


def wait_until_ready(pool: WorkerPool) -> None:
    """Wait for `Ready` of every worker.

    :raises PeerAbsent: no further worker is ready within `OPEN_WITHIN_S`; the workers are started one at a time
    """
    missing = set(pool.workers)
    deadline = time.monotonic() + OPEN_WITHIN_S
    while missing:
        message = pool.receive(_POLL_S)
        if isinstance(message, Ready):
            missing.discard(message.worker)
            deadline = time.monotonic() + OPEN_WITHIN_S
        elif time.monotonic() > deadline:
            names = ", ".join(map(str, sorted(missing)))
            raise PeerAbsent(f"not ready within {OPEN_WITHIN_S:.0f} s: worker {names}", code=NO_ANSWER)


def compare(pool: WorkerPool, limit: int, chunks: int, rounds: int) -> Iterator[Round]:
    """Count the primes below `limit` alone and together, `rounds` times.

    :raises WrongResult: the two counts differ
    :raises ChannelError: a worker has ended or does not answer
    """
    ranges = split(limit, chunks)
    for number in range(1, rounds + 1):
        wall_ns, cpu_ns = time.monotonic_ns(), time.thread_time_ns()
        primes = count_primes(0, limit)
        alone_wall_ns, alone_computing_ns = time.monotonic_ns() - wall_ns, time.thread_time_ns() - cpu_ns

        together = share(pool, number, ranges)
        if together.primes != primes:
            raise WrongResult(
                f"round {number}: the workers count {together.primes} primes below {limit}, one process {primes}"
            )
        yield Round(
            round=number,
            primes=primes,
            alone_wall_ns=alone_wall_ns,
            alone_computing_ns=alone_computing_ns,
            wall_ns=together.wall_ns,
            computing_ns=together.computing_ns,
            moving_workers_ns=together.moving_workers_ns,
            moving_coordinator_ns=together.moving_coordinator_ns,
            tasks_done=tuple(together.done[worker] for worker in pool.workers),
            resent=together.resent,
            duplicates=together.duplicates,
        )


def dismiss(pool: WorkerPool) -> None:
    """Send `Stop` to every worker, and wait until all have left.

    :raises PeerGone: a worker has not left within `_LEFT_WITHIN_S`
    """
    present = set(pool.workers)
    _stop(pool, present)
    deadline = time.monotonic() + _LEFT_WITHIN_S
    while present:
        message = pool.receive(_POLL_S)
        if isinstance(message, Left):
            present.discard(message.worker)
        elif message is None and not pool.reliable and time.monotonic() <= deadline:
            _stop(pool, present)
        elif time.monotonic() > deadline:
            names = ", ".join(map(str, sorted(present)))
            raise PeerGone(f"not stopped within {_LEFT_WITHIN_S:.0f} s: worker {names}", code=NO_ANSWER)


def _stop(pool: WorkerPool, workers: set[int]) -> None:
    for worker in sorted(workers):
        try:
            pool.send(worker, Stop(), _SEND_S)
        except ChannelFull:
            raise PeerGone(f"worker {worker} takes no message any more", code=FULL) from None
        except PeerGone as error:
            if error.may_be_delivered:
                continue  # an awake worker took the message, and removed its ring before the notifier was called
            if pool.reliable:
                raise  # an unreliable mechanism lost the worker's `Left`: the worker has ended
            workers.discard(worker)
