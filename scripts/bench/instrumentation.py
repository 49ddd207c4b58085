"""What measuring costs: messages per second of the loops at full speed, with metrics over without."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from bench.loop import MESSAGE_BYTES
from ipclab.contract.channel import Address
from labctl.terminal.subprocesses import failure

ROUNDS = 7
SECONDS = 2.0


def ratio(mechanism: str) -> dict[str, float]:
    """Medians of interleaved runs: messages/s without, with, and the median of the pairwise ratios."""
    rates: dict[str, list[float]] = {"without": [], "with": []}
    for number in range(ROUNDS):
        order = ("without", "with") if number % 2 else ("with", "without")
        for choice in order:
            rates[choice].append(_messages_per_second(mechanism, choice))
    pairs = [w / wo for w, wo in zip(rates["with"], rates["without"], strict=True)]
    return {
        "without": statistics.median(rates["without"]),
        "with": statistics.median(rates["with"]),
        "ratio": statistics.median(pairs),
    }


def _messages_per_second(mechanism: str, choice: str) -> float:
    with tempfile.TemporaryDirectory() as directory:
        address = Address(key=0x62656E63, path=Path(directory) / "channel", host="127.0.0.1", port=39464)
        text = json.dumps({**asdict(address), "path": str(address.path)})
        consumer, producer = (
            subprocess.Popen(
                [sys.executable, "-m", "bench.loop", role, mechanism, text, directory, str(SECONDS), choice],
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                encoding="utf-8",
            )
            for role in ("consumer", "producer")
        )
        outputs = {"consumer": consumer.communicate(), "producer": producer.communicate()}
    for process, (role, (_, said)) in zip((consumer, producer), outputs.items(), strict=True):
        if process.returncode:
            command = ["bench.loop", role, mechanism]
            raise failure(command, process.returncode, said.splitlines(), hint="./lab doctor looks for the cause")
    answer = json.loads(outputs["consumer"][0])
    return float(answer["received"]) / float(answer["seconds"])


def report() -> list[str]:
    """The lines to print."""
    lines = [f"instrumentation, {MESSAGE_BYTES} B, loops at full speed with checksums, {os.cpu_count()} CPUs:"]
    for mechanism in ("fifo", "sysv_shm"):
        measured = ratio(mechanism)
        lines.append(
            f"  {mechanism:10} {measured['without']:10,.0f} messages/s without metrics, "
            f"{measured['with']:10,.0f} with, ratio {measured['ratio']:.2f} (medians of {ROUNDS})"
        )
    return lines


if __name__ == "__main__":
    print("\n".join(report()))
