"""The reset of an endpoint: every count from 0, in the same container, with a new process.

`./lab reset` writes an order into a file of the private volume, through the engine. After an order the endpoint closes
its channel, a consumer removes the kernel object with its queued messages, and the endpoint removes its state and logs
it. Then the process replaces itself (execve(2)), so the container keeps its networks, its namespaces and its address.
The order has two words, because both ends of a pair must have forgotten before one starts: a consumer that has
forgotten a producer would count all that the producer sent before as lost. A producer that got `PREPARE` therefore
waits for `GO`.

    the order: WORD TOKEN        the log: reset TOKEN: forgotten
"""

from __future__ import annotations

import os
import signal
import sys
import time
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

from ipclab.runtime.lifecycle import Stop, log

ORDER = "reset"  # a file of the state directory
PREPARE, GO = "prepare", "go"
_KEPT = frozenset({ORDER, ".ipclab"})  # the latter marks the volume as the lab's: see services/Dockerfile
_GO_WITHIN_S = 60.0  # an order whose sender died is carried out all the same
_POLL_EVERY_S = 0.02


class Reset:
    """The order of one endpoint; `folders` are forgotten, the first of them is where the order comes."""

    def __init__(self, folders: Sequence[Path], stop: Stop) -> None:
        self._folders = folders
        self._order = folders[0] / ORDER
        self._stop = stop
        self._take_back()  # of an earlier life

    def check(self) -> None:
        """Ask the loop to stop if there is an order; one stat(2), so it can be looked at once a tick."""
        if self._order.exists():
            self._stop.begin_anew = True
            self._stop.request("reset")

    def carry_out(self) -> NoReturn:
        """Forget, say so, wait for `GO`, and begin anew. The channel must be closed."""
        for folder in self._folders:
            forget(folder)
        log.info("%s", forgotten(self._read()[1]))
        deadline = time.monotonic() + _GO_WITHIN_S
        while self._read()[0] != GO and not self._stop.signalled and time.monotonic() < deadline:
            time.sleep(_POLL_EVERY_S)
        self._take_back()
        if self._stop.signalled:
            sys.exit(0)
        # execve(2) keeps the timer and not its handler, so SIGALRM would kill the new process: ipclab.linux.alarm.
        signal.setitimer(signal.ITIMER_REAL, 0)
        os.execv(sys.executable, [sys.executable, *sys.orig_argv[1:]])

    def _read(self) -> tuple[str, str]:
        """Word and token; empty while the file is being replaced, and for a file that is no text."""
        with suppress(OSError, ValueError):
            word, _, token = self._order.read_text().strip().partition(" ")
            return word, token
        return "", ""

    def _take_back(self) -> None:
        with suppress(OSError):
            self._order.unlink()


def order(word: str, token: str) -> bytes:
    """The content of the file `ORDER`."""
    return f"{word} {token}".encode()


def forgotten(token: str) -> str:
    """The line of the log after the order was carried out."""
    return f"reset {token}: forgotten"


def forget(folder: Path) -> None:
    """Remove what is in `folder`, but for the order and the mark."""
    for path in folder.iterdir():
        if path.name in _KEPT:
            continue
        if path.is_dir():
            import shutil  # 1 MiB that a container needs only here

            shutil.rmtree(path)
        else:
            path.unlink()
