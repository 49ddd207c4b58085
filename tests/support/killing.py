"""Kill a process at every point of a call, without a process: what shared memory looks like at each.

A store into mapped memory outlives the process that made it, so a death leaves exactly the stores made
before. The call is traced opcode by opcode, and every state that the memory passes through is kept.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any


def states_of(read: Callable[[], bytes], call: Callable[[], object]) -> list[bytes]:
    """The states that the memory behind `read` passes through while `call` runs, first and last included.

    A store of many bytes is taken apart: a copy can be cut at any byte, from either end.
    """
    states = [read()]

    def trace(frame: FrameType, _event: str, _argument: Any) -> Any:
        frame.f_trace_opcodes = True
        now = read()
        if now != states[-1]:
            states.extend(_between(states[-1], now))
            states.append(now)
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        call()
    finally:
        sys.settrace(before)
    if (now := read()) != states[-1]:
        states.extend(_between(states[-1], now))
        states.append(now)
    return states


def _between(old: bytes, new: bytes) -> Iterator[bytes]:
    """A store of one aligned word is whole or not at all; a longer one can be cut at any byte."""
    changed = [index for index, (a, b) in enumerate(zip(old, new, strict=True)) if a != b]
    first, last = changed[0], changed[-1]
    if first // 8 == last // 8:
        return
    for cut in range(first + 1, last + 1):
        yield new[:cut] + old[cut:]
        yield old[:cut] + new[cut:]
