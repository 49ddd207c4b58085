"""The responder's processes: one per mechanism, each asleep in the kernel until it is asked.

An endpoint belongs to one thread, the main one, and looking at eleven in turn would be measured as latency. So each
has a process, support.forked from one that has imported everything (most of their memory is common). The keeper forks
them
and brings back whoever dies. It has no thread, unlike the process that exports the metrics: fork(2) copies the locks
of other threads in whatever state they are.

The responder's echo endpoints: where they are, and the loop of one.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import time
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NoReturn

from ipclab import mechanisms
from ipclab.contract.channel import Address, Kind, Mechanism, Sharing
from ipclab.contract.errors import AccessRefused, ChannelError, PeerAbsent, PeerGone, ReceiveTimeout, Unusable
from ipclab.contract.optional import Answerer
from ipclab.linux.namespaces import pin
from ipclab.matrix import request_reply
from ipclab.runtime.lifecycle import Stop, log

# A question is a few bytes; one that does not fit is refused like any message that is too large.
_BUFFER_BYTES = 4096
_WAIT_S = 0.5
_RETRY_S = 0.5


def addresses(base: Address) -> dict[str, Address]:
    """Every mechanism's endpoint; `base.path` is a directory. The names are none of a pair's.

    A port serves one byte stream and one socket of datagrams; the next mechanism of the same kind has the next port.
    """
    used: Counter[Kind] = Counter()
    made = {}
    for name in mechanisms.names():
        traits = mechanisms.load(name).traits
        port = base.port
        if Sharing.NETWORK in traits.requires:
            port += used[traits.kind]
            used[traits.kind] += 1
        made[name] = replace(base, path=base.path / f"echo-{name.replace('_', '-')}", port=port)
    return made


def echo(mechanism: Mechanism, address: Address, stop: Stop) -> None:
    """Answer every question with itself until told to stop; leave nothing."""
    complaint = ""
    while not stop.requested:
        try:
            answerer = request_reply.create_answerer(mechanism, address)
        except (AccessRefused, PeerAbsent, PeerGone, Unusable) as error:
            if str(error) != complaint:
                complaint = str(error)
                log.warning("no echo endpoint, trying again: %s", error)
            time.sleep(_RETRY_S)
            continue
        complaint = ""
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
        except ChannelError as error:  # whoever asked has gone, or does not listen
            log.warning("no reply: %s", error)


_SIGNALS = (signal.SIGCHLD, signal.SIGTERM, signal.SIGINT)
_LOOK_S = 0.5
_AGAIN_AFTER_S = 0.2
_END_WITHIN_S = 1.5


class Responder:
    """The echo endpoints of all mechanisms, as long as this object's process lives or until `end`."""

    def __init__(self, addresses: Mapping[str, Address], stop: Stop) -> None:
        """`stop` ends this process; each child has its own copy, which its own signals set."""
        self._addresses = addresses
        self._stop = stop
        self._keeper = 0

    def start(self) -> None:
        """Fork; before this process starts its first thread."""
        for name in self._addresses:
            mechanisms.load(name)
        gc.freeze()  # what was imported stays common: the collector would write to every object of it
        parent = os.getpid()
        self._keeper = os.fork()
        if self._keeper == 0:
            _Keeper(self._addresses, self._stop, parent).run()
        signal.signal(signal.SIGCHLD, self._keeper_died)

    def during(self, loop: Callable[[], None]) -> None:
        """Run `loop`; then tell the endpoints to go, and wait until they have."""
        try:
            loop()
        finally:
            os.kill(self._keeper, signal.SIGTERM)
            os.waitpid(self._keeper, 0)

    def _keeper_died(self, number: int, frame: object) -> None:
        del number, frame
        self._stop.request("the keeper of the echo endpoints has died", exit_code=1)


class _Keeper:
    def __init__(self, addresses: Mapping[str, Address], stop: Stop, parent: int) -> None:
        self._addresses = addresses
        self._stop = stop
        self._parent = parent
        self._children: dict[int, str] = {}

    def run(self) -> NoReturn:
        """Keep every endpoint alive until told to stop, or until the parent has gone."""
        signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
        for name in self._addresses:
            self._fork(name, 0.0)
        while os.getppid() == self._parent:
            received = signal.sigtimedwait(_SIGNALS, _LOOK_S)
            for name in self._reap():
                log.warning("%s: the echo endpoint has died; another one", name)
                self._fork(name, _AGAIN_AFTER_S)
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
        gone = []
        while self._children:
            pid, _ = os.waitpid(-1, os.WNOHANG)
            if not pid:
                break
            gone.append(self._children.pop(pid))
        return gone

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
