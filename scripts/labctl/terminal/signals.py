"""SIGTERM and SIGHUP end a command as Ctrl-C does: what it has begun is cleared away, and one line says so."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)


_ALL = (signal.SIGINT, *_ENDING)


class Terminated(KeyboardInterrupt):
    """One of them has come; `number` says which."""

    def __init__(self, number: int) -> None:
        super().__init__(signal.Signals(number).name)
        self.number = number


def raise_when_terminated() -> None:
    """Raise `Terminated` in the main thread when one comes, unless whoever started us has it ignored (nohup(1))."""
    for number in _ENDING:
        if signal.getsignal(number) is not signal.SIG_IGN:
            signal.signal(number, _raise)


@contextmanager
def held_back() -> Iterator[None]:
    """Ctrl-C, SIGTERM and SIGHUP that come within the block take effect at its end, when what it made is known.

    Only the main thread gets signals: in another one nothing changes.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    came: list[int] = []
    before = {n: handler for n in _ALL if (handler := signal.getsignal(n)) not in (None, signal.SIG_IGN)}
    try:
        for number in before:
            signal.signal(number, lambda number, _frame: came.append(number))
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if came:
            signal.raise_signal(came[0])


def _raise(number: int, _frame: FrameType | None) -> None:
    for other in _ENDING:
        signal.signal(other, signal.SIG_IGN)  # a second one must not cut short the clearing away
    raise Terminated(number)
