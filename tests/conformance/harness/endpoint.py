"""One endpoint in a process of its own, told what to do by JSON lines on standard input.

Commands are the public methods of `Endpoint`. Each is answered by one line: {"result": …} or
{"error": class, "errno": name, "text": message}.
"""

from __future__ import annotations

import ctypes
import json
import os
import resource
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from conformance.harness.bodies import body, describe
from conformance.harness.in_place import InPlaceEndpoint
from conformance.harness.racing import RacingEndpoint
from ipclab import mechanisms
from ipclab.contract.channel import Address, Tuning, Wait
from ipclab.contract.errors import ChannelError, ChannelFull, ReceiveTimeout
from ipclab.contract.optional_parts import Answerer, Asker, Classifies, CountsDrops, HoldsBytes
from ipclab.matrix import request_reply

_BUFFER_BYTES = 1 << 20
_CLONE_NEWNS, _CLONE_NEWIPC = 0x20000, 0x08000000  # unshare(2)


class Endpoint(RacingEndpoint, InPlaceEndpoint):
    """Executes the commands."""

    def __init__(self, mechanism: str, address: Address) -> None:
        RacingEndpoint.__init__(self, mechanism, address)
        InPlaceEndpoint.__init__(self)
        self._name = mechanism
        self._mechanism = mechanisms.load(mechanism)
        self._address = address
        self._asker: Asker | None = None
        self._answerer: Answerer | None = None
        self._buffer = memoryview(bytearray(_BUFFER_BYTES))

    def tune(self, wait: str) -> None:
        """Wait this way on whatever is opened from now on."""
        self._mechanism = mechanisms.load(self._name, Tuning(wait=Wait(wait)))

    def classify(self, classes: int, pick: int = 0) -> None:
        """So many types or priorities for whatever is opened from now on; its receiver picks one, or takes all."""
        mechanism = mechanisms.load(self._name)
        assert isinstance(mechanism, Classifies)
        self._mechanism = mechanism.classified(classes, pick)

    def received_by_class(self) -> dict[int, int]:
        """How many messages of each type or priority the receiver got."""
        assert isinstance(self._mechanism, Classifies)
        return dict(self._mechanism.received_by_class)

    def mount(self, directory: str, size_bytes: int) -> bool:
        """Put a small file system over `directory` that nobody else sees; False where that is not allowed."""
        if ctypes.CDLL(None).unshare(_CLONE_NEWNS):
            return False
        commands = ["mount --make-rprivate /", f"mount -t tmpfs -o size={size_bytes} tmpfs {directory}"]
        return all(subprocess.run(command.split(), stderr=subprocess.DEVNULL).returncode == 0 for command in commands)

    def leave_ipc_namespace(self) -> bool:
        """Have one of its own; /dev/shm stays."""
        return not ctypes.CDLL(None).unshare(_CLONE_NEWIPC)

    def leave_dev_shm(self) -> bool:
        """Have one of its own; the IPC namespace stays."""
        return self.mount("/dev/shm", 16 << 20)

    def remount(self, directory: str, option: str) -> None:
        """Change what `mount` put there."""
        subprocess.run(["mount", "-o", f"remount,{option}", directory], check=True)

    def fill(self, directory: str) -> int:
        """Take all the space there is; how many bytes that was."""
        with suppress(OSError), Path(directory, "full").open("wb", buffering=0) as file:
            while True:
                file.write(bytes(4096))
        return Path(directory, "full").stat().st_size

    def make_file(self, path: str, head: str, size: int) -> None:
        """A file with holes: it has a size and takes no space."""
        with Path(path).open("wb") as file:
            file.write(head.encode())
            file.truncate(size)

    def listing(self, directory: str) -> list[str]:
        """The names in a directory as this process sees it."""
        return sorted(entry.name for entry in Path(directory).iterdir())

    def clear_umask(self) -> None:
        """What is made from now on has the mode that it is made with."""
        os.umask(0)

    def exchange(self, size: int, count: int) -> int:
        """Send and receive `count` messages in this process; how many arrived as they were sent."""
        arrived = 0
        for sequence in range(count):
            self.send(sequence, size)
            arrived += self.receive() == [sequence, size]
        return arrived

    def open(self, role: str, user: int | None = None) -> None:
        """Create the receiver or open the sender, as another user if asked."""
        if user is not None:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
        if role == "receiver":
            self._receiver = self._mechanism.create_receiver(self._address)
        elif role == "sender":
            self._sender = self._mechanism.open_sender(self._address)
        elif role == "answerer":
            self._receiver = self._answerer = request_reply.create_answerer(self._mechanism, self._address)
        elif role == "asker":
            self._sender = self._asker = request_reply.open_asker(self._mechanism, self._address)

    def send(self, sequence: int, size: int, timeout_s: float = 1.0) -> None:
        """Send one message."""
        assert self._sender
        self._sender.send(memoryview(body(sequence, size)), timeout_s)

    def send_until_full(self, size: int, limit: int) -> int:
        """Send numbered messages until there is no room, or `limit`; how many were taken."""
        for sequence in range(limit):
            try:
                self.send(sequence, size, 0.1)
            except ChannelFull:
                return sequence
        return limit

    def send_numbers(self, first: int, count: int, size: int, within_s: float = 20.0) -> None:
        """Send `count` messages, and wait for room whenever there is none."""
        for sequence in range(first, first + count):
            self.send(sequence, size, within_s)

    def stream(self, first: int, size: int) -> None:
        """Send for ever, and say every number that was taken; ends by being killed or by an error."""
        sequence = first
        while True:
            try:
                self.send(sequence, size, 0.1)
            except ChannelFull:
                continue
            print(sequence, flush=True)
            sequence += 1

    def receive(self, timeout_s: float = 1.0, buffer_bytes: int = _BUFFER_BYTES) -> list[int]:
        """Receive one message; what it is."""
        assert self._receiver
        length = self._receiver.receive_into(self._buffer[:buffer_bytes], timeout_s)
        return describe(bytes(self._buffer[:length]))

    def echo(self, questions: int | None = None, timeout_s: float = 20.0) -> int:
        """Reply to so many questions, or for ever, with what was asked; how many were answered."""
        assert self._answerer
        answered = 0
        while questions is None or answered < questions:
            try:
                length = self._answerer.receive_into(self._buffer, timeout_s)
                self._answerer.reply(self._buffer[:length], 1.0)
            except ReceiveTimeout:
                break
            except ChannelError:  # whoever asked has gone, or left a part of a question
                continue
            answered += 1
        return answered

    def receive_reply(self, timeout_s: float = 2.0) -> list[int]:
        """Receive one reply; what it is."""
        assert self._asker
        length = self._asker.receive_into(self._buffer, timeout_s)
        return describe(bytes(self._buffer[:length]))

    def ask(self, sequence: int, size: int, timeout_s: float = 2.0) -> list[int]:
        """One question and its reply; what that is."""
        self.send(sequence, size, timeout_s)
        return self.receive_reply(timeout_s)

    def ask_for_ever(self, size: int) -> None:
        """Ask without end; ends by being killed."""
        sequence = 0
        while True:
            print(self.ask(sequence, size)[0], flush=True)
            sequence += 1

    def drain(self, quiet_s: float = 0.2, limit: int = 1 << 30) -> list[list[int]]:
        """Receive until nothing comes for `quiet_s`; errors other than the timeout are listed as [-2, 0]."""
        seen: list[list[int]] = []
        while len(seen) < limit:
            try:
                seen.append(self.receive(quiet_s))
            except ReceiveTimeout:
                break
            except ChannelError:
                seen.append([-2, 0])
        return seen

    def kernel_drops(self) -> int:
        """What the kernel dropped at the receiver; 0 where it never drops anything."""
        assert self._receiver
        return self._receiver.kernel_drops() if isinstance(self._receiver, CountsDrops) else 0

    def held(self) -> list[int] | None:
        """[bytes in this side's buffer in the kernel, how many there can be]; None where the kernel tells none."""
        side: object = self._receiver or self._sender
        return [side.queued_bytes(), side.capacity_bytes()] if isinstance(side, HoldsBytes) else None

    def open_descriptors(self) -> int:
        """How many this process has."""
        return len(list(Path("/proc/self/fd").iterdir()))

    def seconds(self, of: str, arguments: dict[str, Any]) -> float:
        """How long a command takes until its ChannelError."""
        begin = time.monotonic()
        with suppress(ChannelError):
            getattr(self, of)(**arguments)
        return time.monotonic() - begin

    def sleeps(self, of: str, arguments: dict[str, Any]) -> int:
        """How often a command gives up the processor to wait: its voluntary context switches (getrusage(2))."""
        begin = resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw
        self.seconds(of, arguments)
        return resource.getrusage(resource.RUSAGE_SELF).ru_nvcsw - begin

    def close(self) -> None:
        """Close whichever is open, twice: it is idempotent."""
        for endpoint in (self._sender, self._receiver):
            if endpoint:
                endpoint.close()
                endpoint.close()

    def remove(self) -> None:
        """Remove the receiver's object."""
        assert self._receiver
        self._receiver.remove()


def main(mechanism: str, address: dict[str, Any]) -> None:
    """Serve commands until the input ends."""
    endpoint = Endpoint(mechanism, Address(**{**address, "path": Path(address["path"])}))
    for line in sys.stdin:
        command = json.loads(line)
        try:
            answer = {"result": getattr(endpoint, command.pop("do"))(**command)}
        except ChannelError as error:
            answer = {"error": type(error).__name__, "errno": error.errno_name, "text": str(error)}
        print(json.dumps(answer), flush=True)
