"""The responder: one process for each mechanism's echo endpoint, and a supervisor that forks them.

An endpoint belongs to one thread, the main thread, and polling eleven endpoints in one thread would add to the measured
latency. So each endpoint has a process of its own, which sleeps in the kernel until a question arrives. The processes
are forked from one that has imported everything, so they share most of their memory. The supervisor forks them and
replaces a process that dies. The supervisor has no second thread, unlike the process that exports the metrics: fork(2)
copies the locks of other threads in their current state.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import NoReturn

from ipclab import mechanisms
from ipclab.contract.channel import Address, Kind, Mechanism, Sharing
from ipclab.contract.errors import AccessRefused, ChannelError, PeerAbsent, PeerGone, ReceiveTimeout, Unusable
from ipclab.contract.optional_parts import Answerer
from ipclab.linux.namespaces import pin
from ipclab.matrix import request_reply
from ipclab.runtime.lifecycle import LogOnce, Stop, log

# A question is a few bytes; a larger one is refused like any message that is too large.
_BUFFER_BYTES = 4096
_WAIT_S = 0.5
_RETRY_S = 0.5


def addresses(base: Address) -> dict[str, Address]:
    """The address of every mechanism's endpoint; `base.path` is a directory. No pair uses these names.

    One port serves one byte stream and one datagram socket; the next mechanism of the same kind has the next port.
    """
    used: Counter[Kind] = Counter()
    endpoints = {}
    for name in mechanisms.names():
        traits = mechanisms.load(name).traits
        port = base.port
        if Sharing.NETWORK in traits.requires:
            port += used[traits.kind]
            used[traits.kind] += 1
        endpoints[name] = replace(base, path=base.path / f"echo-{name.replace('_', '-')}", port=port)
    return endpoints


def echo(mechanism: Mechanism, address: Address, stop: Stop) -> None:
    """Answer every question with the question itself, until told to stop; then remove the channel."""
    warnings = LogOnce()
    while not stop.requested:
        try:
            answerer = request_reply.create_answerer(request_reply.for_questions(mechanism), address)
        except (AccessRefused, PeerAbsent, PeerGone, Unusable) as error:
            warnings.warning(f"no echo endpoint, trying again: {error}")
            time.sleep(_RETRY_S)
            continue
        warnings.reset()
        try:
            _answer(answerer, stop)
        except PeerGone as error:
            log.warning("making the echo endpoint again: %s", error)
        finally:
            answerer.remove()


def _answer(answerer: Answerer, stop: Stop) -> None:
    buffer = memoryview(bytearray(_BUFFER_BYTES))
    while not stop.requested:
        try:
            length = answerer.receive_into(buffer, _WAIT_S)
        except PeerGone:
            raise
        except ChannelError as error:
            if not isinstance(error, ReceiveTimeout):
                log.warning("no question: %s", error)
            continue
        try:
            answerer.reply(buffer[:length], _WAIT_S)
        except ChannelError as error:  # the asker has ended, or does not receive
            log.warning("no reply: %s", error)


_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
_CHECK_EVERY_S = 0.5
_RESTART_AFTER_S = 0.2
_END_WITHIN_S = 1.5


class Responder:
    """The echo endpoints of all mechanisms, as long as this object's process lives or until `end`."""

    def __init__(self, addresses: Mapping[str, Address], stop: Stop) -> None:
        """`stop` ends this process; each child has its own copy, which its own signals set."""
        self._addresses = addresses
        self._stop = stop
        self._supervisor = 0

    def start(self) -> None:
        """Fork; before this process starts its first thread."""
        for name in self._addresses:
            mechanisms.load(name)
        gc.freeze()  # imported objects stay shared: the collector would write to each of them
        parent = os.getpid()
        self._supervisor = os.fork()
        if self._supervisor == 0:
            _Supervisor(self._addresses, self._stop, parent).run()
        signal.signal(signal.SIGCHLD, self._child_ended)

    def during(self, loop: Callable[[], None]) -> None:
        """Run `loop`; then end the endpoints, and wait for their end."""
        try:
            loop()
        finally:
            os.kill(self._supervisor, signal.SIGTERM)
            os.waitpid(self._supervisor, 0)

    def _child_ended(self, number: int, frame: object) -> None:
        """Another child is the tracer of a try that failed. The supervisor stays a zombie: `during` waits for it."""
        del number, frame
        with suppress(ChildProcessError):  # `during` has waited for it
            if os.waitid(os.P_PID, self._supervisor, os.WEXITED | os.WNOHANG | os.WNOWAIT):
                self._stop.request("the supervisor of the echo endpoints has died", exit_code=1)


class _Supervisor:
    def __init__(self, addresses: Mapping[str, Address], stop: Stop, parent: int) -> None:
        self._addresses = addresses
        self._stop = stop
        self._parent = parent
        self._children: dict[int, str] = {}

    def run(self) -> NoReturn:
        """Keep every endpoint alive until told to stop, or until the parent has ended."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        for name in self._addresses:
            self._fork(name, 0.0)
        while os.getppid() == self._parent:
            received = signal.sigtimedwait(_SIGNALS, _CHECK_EVERY_S)
            for name in self._reap():
                log.warning("%s: the echo endpoint has died; starting another one", name)
                self._fork(name, _RESTART_AFTER_S)
            if received and received.si_signo != signal.SIGCHLD:
                break
        self._end_all()
        os._exit(0)

    def _fork(self, name: str, after_s: float) -> None:
        pid = os.fork()
        if pid:
            self._children[pid] = name
            return
        code = 1
        try:
            self._stop.on_signals()
            pin()
            signal.pthread_sigmask(signal.SIG_UNBLOCK, _SIGNALS)
            time.sleep(after_s)
            echo(mechanisms.load(name), self._addresses[name], self._stop)
            code = 0
        except BaseException:  # noqa: BLE001 - the end of this process: say what happened, as an interpreter does
            sys.excepthook(*sys.exc_info())
        finally:
            os._exit(code)

    def _reap(self) -> list[str]:
        dead = []
        while self._children:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            dead.append(self._children.pop(pid))
        return dead

    def _end_all(self) -> None:
        for pid in self._children:
            os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + _END_WITHIN_S
        while self._children and (left := deadline - time.monotonic()) > 0:
            self._reap()
            if self._children:
                signal.sigtimedwait([signal.SIGCHLD], left)
        for pid in self._children:
            os.kill(pid, signal.SIGKILL)
