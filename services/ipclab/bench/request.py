"""What the harness asks of one endpoint: the options of its command line. Every option is always given."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from pathlib import Path

from ipclab.contract.channel import Address, Wait


class Shape(StrEnum):
    """What is timed."""

    ROUND_TRIP = "round-trip"
    ONE_WAY = "one-way"
    BURST = "burst"


class Side(StrEnum):
    """Which half of a run a process is; `BOTH` forks, where the two need a common ancestor."""

    PRODUCER = "producer"
    CONSUMER = "consumer"
    BOTH = "both"


@dataclass(frozen=True, slots=True)
class Request:
    """One half of one run. Sizes in bytes; `count` and `warmup` in messages."""

    mechanism: str
    role: Side
    shape: Shape
    size: int
    count: int
    warmup: int
    burst: int
    sample_every: int
    wait: Wait
    copies: bool
    touched: bool
    silence_s: float
    address: Address
    back: Address
    cpu: int
    peer_cpu: int


def arguments(request: Request) -> list[str]:
    """The command line of `request`, without the program."""
    words: list[str] = []
    for field in fields(request):
        value = getattr(request, field.name)
        if isinstance(value, Address):
            prefix = "--back-" if field.name == "back" else "--"
            for part in ("key", "path", "host", "port"):
                words += [f"{prefix}{part}", str(getattr(value, part))]
        else:
            text = {True: "yes", False: "no"}[value] if isinstance(value, bool) else str(value)
            words += [f"--{field.name.replace('_', '-')}", text]
    return words


def parse(argv: Sequence[str]) -> Request:
    """The request of a command line. A wrong option ends the process with exit code 2, as argparse does."""
    parser = argparse.ArgumentParser(prog="endpoint", allow_abbrev=False)
    for name in ("mechanism", "host", "back-host"):
        parser.add_argument(f"--{name}", required=True)
    for name in ("size", "count", "warmup", "burst", "sample-every", "key", "port", "back-key", "back-port"):
        parser.add_argument(f"--{name}", required=True, type=int)
    for name in ("cpu", "peer-cpu"):
        parser.add_argument(f"--{name}", required=True, type=int)
    for name in ("path", "back-path"):
        parser.add_argument(f"--{name}", required=True, type=Path)
    for name in ("copies", "touched"):
        parser.add_argument(f"--{name}", required=True, choices=("yes", "no"))
    parser.add_argument("--role", required=True, type=Side)
    parser.add_argument("--shape", required=True, type=Shape)
    parser.add_argument("--wait", required=True, type=Wait)
    parser.add_argument("--silence-s", required=True, type=float)
    given = parser.parse_args(argv)
    return Request(
        mechanism=given.mechanism,
        role=given.role,
        shape=given.shape,
        size=given.size,
        count=given.count,
        warmup=given.warmup,
        burst=given.burst,
        sample_every=given.sample_every,
        wait=given.wait,
        copies=given.copies == "yes",
        touched=given.touched == "yes",
        silence_s=given.silence_s,
        address=Address(given.key, given.path, given.host, given.port),
        back=Address(given.back_key, given.back_path, given.back_host, given.back_port),
        cpu=given.cpu,
        peer_cpu=given.peer_cpu,
    )
