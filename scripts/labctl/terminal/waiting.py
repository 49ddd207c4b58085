"""Waiting for a condition: the one place that sleeps."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], timeout_s: float, every_s: float = 0.25) -> T:
    """Ask `condition` until what it returns is true, or for `timeout_s`; returns its last answer.

    A timeout is no exception: the last answer tells the caller what to say.
    """
    deadline = time.monotonic() + timeout_s
    while True:
        answer = condition()
        if answer or time.monotonic() >= deadline:
            return answer
        time.sleep(every_s)
