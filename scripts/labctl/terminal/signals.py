"""SIGTERM and SIGHUP end a command as Ctrl-C does: what it has begun is cleared away, and one line says so."""

from __future__ import annotations

import signal
from types import FrameType

_ENDING = (signal.SIGTERM, signal.SIGHUP)


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


def _raise(number: int, _frame: FrameType | None) -> None:
    for other in _ENDING:
        signal.signal(other, signal.SIG_IGN)  # a second one must not cut short the clearing away
    raise Terminated(number)
