"""The real loops, in processes of their own: `python -m ipclab producer` and `consumer`, and what their pages show."""

from __future__ import annotations

import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from ipclab.contract.channel import Address
from labctl.lab.ports import free_port

# The promise is 5 s; what is beyond is for a busy machine.
NOTICED_WITHIN_S = 10.0
RATE, SIZE = 500, 1000
RECEIVED, LOST = "ipc_messages_received_total", "ipc_messages_lost_total"
CORRUPT, DUPLICATE = "ipc_messages_corrupt_total", "ipc_messages_duplicate_total"


class Role:
    """`python -m ipclab producer` or `consumer`, and its page."""

    def __init__(self, role: str, name: str, address: Address, folder: Path) -> None:
        folder.mkdir()
        self._port = free_port()
        options = {
            "key": address.key,
            "path": address.path,
            "host": address.host,
            "port": address.port,
            "state": folder,
            "alive": folder / "alive",
            "metrics-port": self._port,
            **({"rate": RATE, "size": SIZE} if role == "producer" else {}),
        }
        words = [word for option, value in options.items() for word in (f"--{option}", str(value))]
        with (folder / "log").open("w") as log:
            self.process = subprocess.Popen([sys.executable, "-m", "ipclab", role, name, *words], stderr=log)

    def total(self, metric: str) -> float:
        """The sum of a metric's samples; 0 while there is no page yet."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics", timeout=5) as answer:
                page = answer.read().decode()
        except OSError:
            return 0
        # By hand: this is asked twenty times a second, and a parser takes 10 ms for a page.
        samples = (line for line in page.splitlines() if line.partition("{")[0].partition(" ")[0] == metric)
        return sum(float(line.rpartition(" ")[2]) for line in samples)

    def end(self) -> None:
        self.process.terminate()
        self.process.wait(10)


def wait_until_above(
    what: str, floors: list[float], read: Callable[[], list[float]], within_s: float = NOTICED_WITHIN_S
) -> None:
    give_up = time.monotonic() + within_s
    while (seen := read()) and not all(now > floor for now, floor in zip(seen, floors, strict=True)):
        assert time.monotonic() < give_up, f"{what}: {seen}, and not above {floors} within {within_s} s"
        time.sleep(0.05)


@contextmanager
def busy_pair(name: str, address: Address, folder: Path) -> Iterator[tuple[Role, Role]]:
    """A producer and a consumer with traffic between them."""
    consumer = Role("consumer", name, address, folder / "consumer")
    producer = Role("producer", name, address, folder / "producer")
    try:
        try:
            wait_until_above("received", [100], lambda: [consumer.total(RECEIVED)], within_s=30)
        except AssertionError as error:
            for side in ("consumer", "producer"):
                error.add_note(f"{side}: {(folder / side / 'log').read_text()[-2000:]}")
            raise
        yield producer, consumer
    finally:
        for role in (producer, consumer):
            role.end()


def opens(pair: tuple[Role, Role]) -> list[float]:
    """How often each of the two opened its channel."""
    return [role.total("ipc_channel_opens_total") for role in pair]
