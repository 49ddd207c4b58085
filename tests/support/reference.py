"""The C reference: compiled for the tests, and runs of two endpoints, in C or in Python, without a harness."""

from __future__ import annotations

import json
import os
import random
import select
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, cast

import posix_ipc
import sysv_ipc

from ipclab.bench.request import Request, Shape, Side, arguments
from ipclab.contract.channel import Address, Wait
from labctl.lab.ports import free_port

SOURCES = Path(__file__).parents[2] / "services" / "reference"
COMPILER = os.environ.get("CC", "gcc")
HAS_COMPILER = shutil.which(COMPILER.split()[0]) is not None
_ENDS_WITHIN_S = 60
PYTHON = "import importlib, sys; sys.exit(importlib.import_module(sys.argv[1]).main(sys.argv[2:]))"
_SEVERAL = (
    "import importlib, json, sys; main = importlib.import_module(sys.argv[1]).main;"
    "sys.exit(any([main(half) for half in json.loads(sys.argv[2])]))"
)
_CPU = min(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 0


def compile_reference(folder: Path) -> Path:
    """Every program of the reference, in `folder`."""
    subprocess.run([str(SOURCES / "build"), str(folder)], check=True, timeout=120)
    return folder


def python(module: str) -> list[str]:
    """The command of an endpoint that is a module with `main(argv)`."""
    return [sys.executable, "-c", PYTHON, module]


def python_of_several(module: str, halves: Sequence[Request], role: Side) -> list[str]:
    """The command of an endpoint that does one run after the other: the start of Python takes longer than a run."""
    runs = [arguments(replace(half, role=role)) for half in halves]
    return [sys.executable, "-c", _SEVERAL, module, json.dumps(runs)]


_addresses: list[Address] = []  # of the runs since the last clearing


def clear() -> None:
    """Remove the kernel objects that killed endpoints left: the limits are the user's, not the test's."""
    for address in _addresses:
        name = f"/ipclab-{Path(address.path).name}"
        for unlink in (posix_ipc.unlink_message_queue, posix_ipc.unlink_shared_memory):
            with suppress(posix_ipc.ExistentialError):
                unlink(name)
        for notifier in ("record", "room"):
            with suppress(posix_ipc.ExistentialError):
                posix_ipc.unlink_semaphore(f"{name}.{notifier}")
        for made in (sysv_ipc.MessageQueue, sysv_ipc.Semaphore, sysv_ipc.SharedMemory):
            with suppress(sysv_ipc.ExistentialError):
                made(address.key).remove()
    _addresses.clear()


def request(mechanism: str, folder: Path, **fields: Any) -> Request:
    """A short run over addresses of its own."""
    key = random.randrange(1 << 20, 1 << 30)
    plain = Request(
        mechanism=mechanism,
        role=Side.PRODUCER,
        shape=Shape.ONE_WAY,
        size=64,
        count=500,
        warmup=50,
        burst=10,
        sample_every=10,
        wait=Wait.BLOCK,
        copies=True,
        touched=True,
        silence_s=20.0,
        address=Address(key, folder / f"there-{key:x}", "127.0.0.1", free_port()),
        back=Address(key + 3, folder / f"back-{key:x}", "127.0.0.1", free_port()),
        cpu=_CPU,
        peer_cpu=_CPU,
    )
    _addresses.extend((plain.address, plain.back))
    return replace(plain, **fields)


@dataclass
class Endpoint:
    """A process and what it says."""

    process: subprocess.Popen[str]

    def next(self) -> dict[str, Any]:
        """Its next line of JSON.

        :raises EOFError: it has ended
        """
        line = cast(IO[str], self.process.stdout).readline()
        if not line:
            raise EOFError(self.ended())
        document: dict[str, Any] = json.loads(line)
        return document

    def expect(self, event: str) -> dict[str, Any]:
        """Its next line, which is of this event."""
        document = self.next()
        assert document["event"] == event, document
        return document

    def speaks_within(self, seconds: float) -> bool:
        """Whether it says something in this time, or ends."""
        return bool(select.select([cast(IO[str], self.process.stdout)], [], [], seconds)[0])

    def ended(self) -> int:
        """Its exit code, once it has ended."""
        return self.process.wait(_ENDS_WITHIN_S)

    def go(self) -> None:
        """Begin the timed part."""
        stdin = cast(IO[str], self.process.stdin)
        stdin.write("go\n")
        stdin.flush()


def started(command: list[str], half: Request, role: Side) -> AbstractContextManager[Endpoint]:
    """One endpoint; it is killed where it does not end by itself."""
    return running([*command, *arguments(replace(half, role=role))])


@contextmanager
def running(command: list[str]) -> Iterator[Endpoint]:
    """The endpoint of a whole command; it is killed where it does not end by itself."""
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        try:
            yield Endpoint(process)
        finally:
            if process.poll() is None:
                process.kill()


def run(producer: list[str], consumer: list[str], half: Request) -> tuple[dict[str, Any], dict[str, Any]]:
    """The results of the two sides."""
    with started(consumer, half, Side.CONSUMER) as receiving:
        receiving.expect("ready")
        with started(producer, half, Side.PRODUCER) as sending:
            sending.expect("ready")
            results = results_of(sending, receiving)
            assert sending.ended() == receiving.ended() == 0
            return results


def results_of(sending: Endpoint, receiving: Endpoint) -> tuple[dict[str, Any], dict[str, Any]]:
    """The results of two sides that are ready."""
    for endpoint in (receiving, sending):
        endpoint.expect("warm")
    for endpoint in (receiving, sending):
        endpoint.go()
    return sending.expect("result"), receiving.expect("result")
