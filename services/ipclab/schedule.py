"""When messages are due: open-loop, at a constant rate, whatever happens to the ones before.

A closed loop (send, wait, send) would stop asking just when the channel is slow, and its latencies would
leave out the waiting ("coordinated omission", Gil Tene). Here latency counts from the due time.
"""

from __future__ import annotations

_NS = 1_000_000_000


class Schedule:
    """Due times on CLOCK_MONOTONIC in nanoseconds: `start + n / rate`."""

    def __init__(self, rate: int, start_ns: int) -> None:
        self._rate = rate
        self._start_ns = start_ns
        self._n = 0
        self.due_ns = start_ns

    def advance(self) -> None:
        """The message that was due is sent: on to the next."""
        self._n += 1
        self.due_ns = self._start_ns + self._n * _NS // self._rate

    def skip(self, now_ns: int, max_lag_ns: int) -> int:
        """Give up what has been due for more than `max_lag_ns`; return how many that were."""
        keep_from = now_ns - max_lag_ns
        if self.due_ns >= keep_from:
            return 0
        first_kept = -((self._start_ns - keep_from) * self._rate // _NS)
        skipped = first_kept - self._n
        self._n = first_kept
        self.due_ns = self._start_ns + self._n * _NS // self._rate
        return skipped
