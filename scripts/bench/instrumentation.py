"""What measuring costs: messages per second of the loops at full speed, with metrics over without."""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bench.loop import MESSAGE_BYTES
from ipclab.contract.channel import Address
from labctl.terminal.subprocesses import failure

ROUNDS = 7
SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class Run:
    """One run of both loops."""

    messages_per_second: float
    sleeps_per_message: float  # voluntary context switches of both processes


@dataclass(frozen=True, slots=True)
class Comparison:
    """Runs in pairs, neighbours in time."""

    without: Sequence[Run]
    measured: Sequence[Run]

    @property
    def ratios(self) -> list[float]:
        """Messages/s with metrics over without, of each pair."""
        pairs = zip(self.measured, self.without, strict=True)
        return [one.messages_per_second / other.messages_per_second for one, other in pairs]

    @property
    def ratio(self) -> float:
        """Their median."""
        return statistics.median(self.ratios)


def compare(mechanism: str) -> Comparison:
    """Interleaved runs."""
    runs: dict[str, list[Run]] = {"without": [], "with": []}
    for number in range(ROUNDS):
        order = ("without", "with") if number % 2 else ("with", "without")
        for choice in order:
            runs[choice].append(_run(mechanism, choice))
    return Comparison(runs["without"], runs["with"])


def _run(mechanism: str, choice: str) -> Run:
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
    answers = {role: json.loads(out) for role, (out, _) in outputs.items()}
    received = float(answers["consumer"]["received"])
    sleeps = sum(answer["sleeps"] for answer in answers.values())
    return Run(received / float(answers["consumer"]["seconds"]), sleeps / max(received, 1))


def report() -> list[str]:
    """The lines to print."""
    lines = [f"instrumentation, {MESSAGE_BYTES} B, loops at full speed with checksums, {os.cpu_count()} CPUs:"]
    for mechanism in ("fifo", "sysv_shm"):
        lines += lines_of(mechanism, compare(mechanism))
    return lines


def lines_of(mechanism: str, found: Comparison) -> list[str]:
    """What was measured, and where it could be misread, how it is to be read."""
    rates = [statistics.median(run.messages_per_second for run in runs) for runs in (found.without, found.measured)]
    sleeps = [statistics.median(run.sleeps_per_message for run in runs) for runs in (found.without, found.measured)]
    least, most = min(found.ratios), max(found.ratios)
    lines = [
        f"  {mechanism:10} {rates[0]:10,.0f} messages/s without metrics, {rates[1]:10,.0f} with, "
        f"ratio {found.ratio:.2f} (medians of {len(found.ratios)} pairs of runs, {least:.2f} to {most:.2f})",
        f"  {'':10} sleeps per message: {sleeps[0]:.3f} without, {sleeps[1]:.3f} with",
    ]
    if found.ratio > 1:
        why = "pairs of runs differ by more than that costs"
        if sleeps[1] < sleeps[0]:
            why = "a loop that is a little slower finds its next message there more often, and sleeps less"
        lines.append(f"  {'':10} over 1: measuring makes no loop faster; {why}")
    elif most >= 1:
        lines.append(f"  {'':10} some pairs are over 1: what measuring costs is no more than what runs differ by")
    return lines


if __name__ == "__main__":
    print("\n".join(report()))
