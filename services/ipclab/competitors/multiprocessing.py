"""`multiprocessing.Pipe` and `multiprocessing.Queue`, as a program uses them that starts its own processes.

Source: https://docs.python.org/3/library/multiprocessing.html#pipes-and-queues. Both need a common ancestor, so this
endpoint forks its two halves (`--role both`). Pipe(duplex=False) is a pipe(2) with a length before each message; it
receives into the caller's buffer. Queue pickles, and a thread of the sender writes to a pipe; what it returns is copied
once more, into the buffer of the bench. Its depth is limited, as the depth of a ring is.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import os
import platform
import queue
import signal
import sys
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

from ipclab.bench import endpoint
from ipclab.bench.endpoint import Ends
from ipclab.bench.ports import Receives, Sends
from ipclab.bench.request import Request, Side, arguments, parse
from ipclab.competitors._rows import depth_of, row
from ipclab.contract.errors import EMPTY, FULL, GONE, ChannelFull, PeerGone, ReceiveTimeout

_PR_SET_PDEATHSIG = 1  # prctl(2)
PIPE, QUEUE = "multiprocessing_pipe", "multiprocessing_queue"


def main(argv: Sequence[str]) -> int:
    """See `ipclab.bench.endpoint.main`; a run is one process that forks."""
    if list(argv) == ["--describe"]:
        return endpoint.main(argv, describe, _open_nothing)
    request = parse(argv)
    if request.role is not Side.BOTH:
        sys.stderr.write("the two halves have one ancestor: --role both\n")
        return 2
    return _run_both(request)


def describe() -> dict[str, Any]:
    """See `ipclab.bench.endpoint`."""
    version = f"Python {platform.python_version()}"
    return {"rows": [row("multiprocessing", name, [], version, together=True) for name in (PIPE, QUEUE)]}


class _PipeEnd:
    """One way: `multiprocessing.Pipe(duplex=False)`."""

    def __init__(self) -> None:
        self.reading, self.writing = multiprocessing.Pipe(duplex=False)

    def receives(self) -> Receives:
        self.writing.close()  # or the end of the other side is never seen
        return _PipeReceives(self.reading)

    def sends(self, stack: ExitStack) -> Sends:
        del stack
        self.reading.close()
        return _PipeSends(self.writing)


class _PipeSends:
    def __init__(self, connection: Connection) -> None:
        self._send_bytes = connection.send_bytes

    def send(self, payload: memoryview, timeout_s: float, /) -> None:
        del timeout_s  # it has none
        self._send_bytes(payload)


class _PipeReceives:
    def __init__(self, connection: Connection) -> None:
        self._receive = connection.recv_bytes_into

    def receive_into(self, buffer: memoryview, timeout_s: float, /) -> int:
        del timeout_s
        try:
            return self._receive(buffer)
        except EOFError as error:
            raise PeerGone("the other end is closed", code=GONE) from error


class _QueueEnd:
    """One way: `multiprocessing.Queue`."""

    def __init__(self, size: int) -> None:
        self._queue: multiprocessing.Queue[bytes] = multiprocessing.Queue(depth_of(size))

    def receives(self) -> Receives:
        return self

    def sends(self, stack: ExitStack) -> Sends:
        stack.callback(self._finish)
        return self

    def _finish(self) -> None:
        """Until the thread has written all: the process ends without it otherwise."""
        self._queue.close()
        self._queue.join_thread()

    def send(self, payload: memoryview, timeout_s: float, /) -> None:
        try:
            self._queue.put(bytes(payload), timeout=timeout_s)
        except queue.Full as error:
            raise ChannelFull("the queue is full", code=FULL) from error

    def receive_into(self, buffer: memoryview, timeout_s: float, /) -> int:
        try:
            message = self._queue.get(timeout=timeout_s)
        except queue.Empty as error:
            raise ReceiveTimeout("the queue is empty", code=EMPTY) from error
        buffer[: len(message)] = message
        return len(message)


def _open_nothing(request: Request, stack: ExitStack) -> Ends:
    raise NotImplementedError((request, stack))


def _run_both(request: Request) -> int:
    make = _PipeEnd if request.mechanism == PIPE else lambda: _QueueEnd(request.size)
    there, back = make(), make()

    def producer(half: Request, stack: ExitStack) -> Ends:
        del half
        replies = back.receives()
        return Ends(there.sends(stack), lambda: replies)

    def consumer(half: Request, stack: ExitStack) -> Ends:
        del half
        replies = back.sends(stack)
        return Ends(there.receives(), lambda: replies)

    halves = [
        _Half(replace(request, role=Side.CONSUMER), request.peer_cpu, consumer),
        _Half(replace(request, role=Side.PRODUCER), request.cpu, producer),
    ]
    for half in halves:
        half.start()
    _await_go()
    for half in halves:
        half.go()
    return max(half.wait() for half in halves)


def _await_go() -> None:
    while os.read(0, 1) not in (b"\n", b""):
        pass


class _Half:
    """A fork that runs one half. Its lines pass through this process whole, one half's between the other's."""

    def __init__(self, request: Request, cpu: int, open_ends: endpoint.Open) -> None:
        self._request = request
        self._cpu = cpu
        self._open_ends = open_ends
        self._lines = threading.Thread(target=self._pass_on)

    def start(self) -> None:
        go, said = os.pipe(), os.pipe()
        self._pid = os.fork()
        if not self._pid:
            self._be(go, said)
        os.close(go[0])
        os.close(said[1])
        self._go = go[1]
        self._said = os.fdopen(said[0])
        self._lines.start()

    def go(self) -> None:
        os.write(self._go, b"go\n")

    def wait(self) -> int:
        self._lines.join()
        return os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])

    def _be(self, go: tuple[int, int], said: tuple[int, int]) -> None:
        code = 1
        try:
            os.dup2(go[0], 0)
            os.dup2(said[1], 1)
            for descriptor in (*go, *said):
                os.close(descriptor)
            ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)  # the harness kills the process that it started
            os.sched_setaffinity(0, {self._cpu})
            code = endpoint.main(arguments(self._request), describe, self._open_ends)
            sys.stdout.flush()
        finally:
            os._exit(code)

    def _pass_on(self) -> None:
        with self._said as lines:
            for line in lines:
                os.write(1, line.encode())
