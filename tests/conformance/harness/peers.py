"""Starts endpoints in processes of their own, and talks to them."""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ipclab.contract.channel import Address

_TESTS = Path(__file__).parents[2]
_ANSWER_WITHIN_S = 90.0


class PeerError(Exception):
    """The endpoint raised a ChannelError: its class, its errno by name, and what it said."""

    def __init__(self, kind: str, errno_name: str, text: str) -> None:
        super().__init__(kind, errno_name, text)
        self.text = text
        self.kind = kind
        self.errno_name = errno_name


class Zygote:
    """The process that forks endpoints: see `conformance.harness.zygote`."""

    def __init__(self) -> None:
        self._control, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "conformance.harness.zygote"],
                cwd=_TESTS,
                env={},
                stdin=theirs.fileno(),
            )

    def start(self, mechanism: str, address: Address, descriptors: list[int]) -> int:
        """Fork an endpoint that has `descriptors` as standard input and output; its process id."""
        where = {**asdict(address), "path": str(address.path)}
        return self._ask(descriptors, do="start", mechanism=mechanism, address=where)

    def reap(self, pid: int) -> int:
        """The exit code of an endpoint that has ended."""
        return self._ask([], do="reap", pid=pid)

    def close(self) -> None:
        """End it."""
        self._control.close()
        self._process.wait(_ANSWER_WITHIN_S)

    def _ask(self, descriptors: list[int], **command: Any) -> int:
        socket.send_fds(self._control, [json.dumps(command).encode()], descriptors)
        answer = self._control.recv(64)
        assert answer, "the zygote is dead"
        return int(answer)


class Peer:
    """One endpoint process."""

    def __init__(self, zygote: Zygote, mechanism: str, address: Address) -> None:
        their_input, our_output = os.pipe()
        our_input, their_output = os.pipe()
        self._zygote = zygote
        self.pid = zygote.start(mechanism, address, [their_input, their_output])
        os.close(their_input)
        os.close(their_output)
        self._process = os.pidfd_open(self.pid)
        self._ended = False
        self._input = os.fdopen(our_output, "w", buffering=1)
        self._output = os.fdopen(our_input)

    def begin(self, do: str, **arguments: Any) -> None:
        """Give a command without waiting for the answer."""
        self._input.write(json.dumps({"do": do, **arguments}) + "\n")

    def begin_and_block(self, do: str, **arguments: Any) -> None:
        """Give a command, and return once it sleeps in the kernel, in another call than the one it takes commands by.

        /proc/PID/syscall (proc(5)) begins with the number of the call, or says "running".
        """
        idle = self._asleep_in(other_than="")
        self.begin(do, **arguments)
        self._asleep_in(other_than=idle)

    def _asleep_in(self, other_than: str) -> str:
        deadline = time.monotonic() + _ANSWER_WITHIN_S
        while True:
            call = Path(f"/proc/{self.pid}/syscall").read_text().split()[0]
            if call not in ("running", other_than):
                return call
            assert time.monotonic() < deadline, f"the endpoint does not fall asleep: {call}"

    def line(self) -> str:
        """The next line it prints; empty when it ended."""
        ready, _, _ = select.select([self._output], [], [], _ANSWER_WITHIN_S)
        assert ready, f"the endpoint hangs: no answer within {_ANSWER_WITHIN_S} s"
        return self._output.readline()

    def end(self) -> Any:
        """The answer to the command given.

        :raises PeerError: the endpoint raised a ChannelError
        """
        answer = json.loads(self.line())
        if "error" in answer:
            raise PeerError(answer["error"], answer["errno"], answer["text"])
        return answer["result"]

    def do(self, command: str, **arguments: Any) -> Any:
        """Give a command and wait for the answer."""
        self.begin(command, **arguments)
        return self.end()

    def numbers_until_end(self) -> list[int]:
        """What a killed `stream` had said: the numbers of the messages that were taken."""
        lines = self._output.read().splitlines(keepends=True)
        return [int(line) for line in lines if line.endswith("\n") and line.strip().isdigit()]

    def kill(self) -> None:
        """SIGKILL, unless it has ended already."""
        if not self._ended:
            os.kill(self.pid, signal.SIGKILL)
        self._wait()

    def stop(self) -> None:
        """Let it end; it must do so by itself and cleanly."""
        self._input.close()
        code = self._wait()
        self._output.close()
        assert code in (0, -9), f"the endpoint ended with {code}"

    def _wait(self) -> int:
        """Its exit code, once it has ended."""
        if not self._ended:
            ended, _, _ = select.select([self._process], [], [], _ANSWER_WITHIN_S)
            assert ended, f"the endpoint hangs: it does not end within {_ANSWER_WITHIN_S} s"
            self._code = self._zygote.reap(self.pid)
            os.close(self._process)
            self._ended = True
        return self._code
