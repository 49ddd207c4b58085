"""The C reference beside plain C loops, interleaved: `.venv/bin/python services/reference/plain/compare.py --help`.

A row is a mechanism, a shape and a size. Each round runs both programs, one behind the other, in turns of order. A
ratio is the median over the rounds of the reference's time by the plain loop's in the same round. The CPU time of both
sides is beside it: it moves less than the time does where others use the machine. `plain +N` is the plain loop with
messages longer by the frame: what the frame itself costs, whoever sends it.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, cast

from ipclab import mechanisms
from ipclab.bench.request import Request, Shape, Side, arguments
from ipclab.contract.channel import Address, Kind, Wait

_HERE = Path(__file__).parent
_FRAME_BYTES, _MARKED_FRAME_BYTES, _ATOMIC_BYTES = 12, 28, 4096
_BYTES_PER_RUN, _MESSAGES = 200_000_000, (60, 20_000)
_ENDS_WITHIN_S = 60


def _compile(folder: Path) -> None:
    subprocess.run([str(_HERE.parent / "build"), str(folder)], check=True)
    flags = ["-std=gnu11", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror"]
    subprocess.run(["gcc", *flags, "-o", folder / "plain", _HERE / "plain.c", "-lrt", "-pthread"], check=True)


def _frame_bytes(mechanism: str, size: int) -> int:
    if mechanisms.load(mechanism).traits.kind is not Kind.BYTE_STREAM:
        return 0
    return _MARKED_FRAME_BYTES if mechanism == "fifo" and size + _FRAME_BYTES > _ATOMIC_BYTES else _FRAME_BYTES


def _plain(folder: Path, half: Request, size: int) -> tuple[float, float]:
    """Microseconds, and of CPU time, per message."""
    is_ring = mechanisms.load(half.mechanism).traits.kind is Kind.SHARED_MEMORY
    name = ("shm_spin" if half.wait is Wait.SPIN else "shm") if is_ring else half.mechanism
    words = [folder / "plain", name, half.shape, size, half.count, half.cpu, half.peer_cpu]
    ran = subprocess.run(list(map(str, words)), capture_output=True, text=True, check=True, timeout=_ENDS_WITHIN_S)
    wall_ns, cpu_ns = map(float, ran.stdout.split())
    return wall_ns / 1e3, cpu_ns / 1e3


def _reference(folder: Path, half: Request) -> tuple[float, float]:
    """The same, of the reference."""

    def start(role: Side, cpu: int) -> subprocess.Popen[str]:
        words = ["taskset", "-c", str(cpu), str(folder / half.mechanism)]
        words += arguments(Request(**{name: getattr(half, name) for name in Request.__slots__} | {"role": role}))
        return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def next_line(process: subprocess.Popen[str]) -> dict[str, Any]:
        line: dict[str, Any] = json.loads(cast(IO[str], process.stdout).readline())
        if line["event"] == "error":
            raise SystemExit(f"{half.mechanism}: {line['message']}")
        return line

    with start(Side.CONSUMER, half.peer_cpu) as consumer:
        next_line(consumer)
        with start(Side.PRODUCER, half.cpu) as producer:
            for process in (producer, producer, consumer):
                next_line(process)
            for process in (consumer, producer):
                cast(IO[str], process.stdin).write("go\n")
                cast(IO[str], process.stdin).flush()
            sent, received = next_line(producer), next_line(consumer)
    end_ns = (sent if half.shape is Shape.ROUND_TRIP else received)["end_ns"]
    wall_us = (end_ns - sent["begin_ns"]) / half.count / 1e3
    return wall_us, (sent["cpu_ns"] + received["cpu_ns"]) / half.count / 1e3


def _request(mechanism: str, shape: Shape, size: int, folder: Path, cpus: Sequence[int], wait: Wait) -> Request:
    key, count = random.randrange(1 << 20, 1 << 30), min(_MESSAGES[1], max(_MESSAGES[0], _BYTES_PER_RUN // size))
    there, back = (Address(key + n, folder / f"{n}-{key:x}", "127.0.0.1", 20_000 + key % 5_000 + n) for n in (0, 3))
    return Request(
        mechanism, Side.BOTH, shape, size, count, count // 10 + 1, 1, count, wait, True, False, 5.0, there, back, *cpus
    )


def _compare(half: Request, folder: Path, rounds: int) -> str:
    frame = _frame_bytes(half.mechanism, half.size)
    plain, longer, reference = [], [], []
    for number in range(rounds):
        if number % 2:
            reference.append(_reference(folder, half))
        plain.append(_plain(folder, half, half.size))
        if frame:
            longer.append(_plain(folder, half, half.size + frame))
        if not number % 2:
            reference.append(_reference(folder, half))

    def ratio(mine: list[tuple[float, float]], theirs: list[tuple[float, float]], which: int) -> str:
        return f"{statistics.median(a[which] / b[which] for a, b in zip(mine, theirs, strict=True)):5.2f}"

    wall, plain_wall = (statistics.median(run[0] for run in runs) for runs in (reference, plain))
    more = f"   of plain +{frame}: {ratio(reference, longer, 0)} {ratio(reference, longer, 1)}" if frame else ""
    return (
        f"{half.mechanism:15} {half.shape:10} {half.size:8} B  plain {plain_wall:9.3f} µs  reference {wall:9.3f} µs"
        f"   ratio {ratio(reference, plain, 0)}  CPU {ratio(reference, plain, 1)}{more}"
    )


def main() -> None:
    """Compile, run, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("mechanism", nargs="*", default=mechanisms.names())
    parser.add_argument("--sizes", default="64,1024,8192,65536,1048576")
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--cpus", default="one", choices=("one", "two"))
    parser.add_argument("--wait", default=Wait.BLOCK, type=Wait)
    given = parser.parse_args()
    allowed = sorted(os.sched_getaffinity(0))
    cpus = (allowed[0], allowed[-1] if given.cpus == "two" else allowed[0])
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _compile(folder)
        for mechanism in given.mechanism:
            traits = mechanisms.load(mechanism).traits
            for shape in (Shape.ONE_WAY, Shape.ROUND_TRIP)[not traits.reliable :]:
                for size in map(int, given.sizes.split(",")):
                    if size <= traits.max_message_bytes and given.wait in traits.waits:
                        half = _request(mechanism, shape, size, folder, cpus, given.wait)
                        print(_compare(half, folder, given.rounds), flush=True)


if __name__ == "__main__":
    main()
