#!/usr/bin/env python3
"""An endpoint of a bench whose channel has a known delay and a known loss: what the harness reports can be checked.

`bench_endpoint.py` is an executable as those of `services/reference` are. Its mechanism says in its name what it does:
`fifo.delay_ms=5` sends each message 5 ms late, `fifo.lose=100` loses every hundredth of the timed part, `fifo.swap=100`
sends every hundredth after the next one, `fifo.flip=100` alters a byte, `fifo.die=100` ends.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Any

from ipclab.bench import endpoint, python
from ipclab.bench.endpoint import Ends
from ipclab.bench.messages import HEADER_BYTES, SEQUENCE
from ipclab.bench.request import Request, Side, parse
from ipclab.contract.channel import Sender

FAULTS = ("delay_ms=5", "lose=10", "lose=100", "swap=100", "flip=100", "die=100")
UNRELIABLE = "udp.lose=100"  # the same loss where the traits allow it


class FaultySender:
    """A sender with one fault, from the end of the warm-up on."""

    def __init__(self, sender: Sender, fault: str, value: int, warmup: int) -> None:
        self._sender = sender
        self._fault = fault
        self._value = value
        self._warmup = warmup
        self._held: bytes | None = None

    def send(self, payload: memoryview, timeout_s: float) -> None:
        (sequence,) = SEQUENCE.unpack_from(payload)
        number = sequence - self._warmup
        chosen = number >= 0 and number % self._value == self._value // 2
        match self._fault:
            case "delay_ms":
                time.sleep(self._value / 1e3)
            case "lose" if chosen:
                return
            case "swap" if chosen:
                self._held = bytes(payload)
                return
            case "flip" if chosen:
                payload[HEADER_BYTES] ^= 0xFF
            case "die" if chosen:
                os._exit(9)
        self._sender.send(payload, timeout_s)
        if self._held is not None:
            self._sender.send(memoryview(self._held), timeout_s)
            self._held = None


def describe() -> dict[str, Any]:
    """A row for each fault."""
    known = {row["mechanism"]: row for row in python.describe()["rows"]}
    rows = [{**known["fifo"], "mechanism": f"fifo.{fault}"} for fault in FAULTS]
    return {"rows": [{**row, "implementation": "c"} for row in [*rows, {**known["udp"], "mechanism": UNRELIABLE}]]}


def main(argv: Sequence[str]) -> int:
    """See `ipclab.bench.endpoint.main`."""
    fault, value = "", 1
    if "--mechanism" in argv:
        name, _, rest = parse(argv).mechanism.partition(".")
        fault, _, text = rest.partition("=")
        value = int(text)

    def open_ends(request: Request, stack: ExitStack) -> Ends:
        ends = python.open_ends(replace(request, mechanism=name), stack)
        if request.role is Side.CONSUMER:
            return ends
        return Ends(FaultySender(ends.main, fault, value, request.warmup), ends.back)  # type: ignore[arg-type]

    return endpoint.main(argv, describe, open_ends)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
