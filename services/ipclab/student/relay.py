"""The FIFO of exercise 10 that hands out 1 to n bytes: it takes what the producer wrote, and passes on small pieces.

A pipe keeps no borders (pipe(7)): a read returns what is there, at most what was asked for. On an idle machine that is
often one whole message, by luck. The relay takes the luck away: it writes the next piece only when the last one was
read, so a read never returns more than `most` bytes.

The relay has both ends of the student's FIFO open (O_RDWR, fifo(7)). So a reader that is killed takes no byte with it
that it had not read, and the writer gets no EPIPE.

At some byte counts the relay pauses, in the middle of a message, until it is told to go on. There the lab kills the
reader, so the next reader begins within a message, whatever the machine is doing.
"""

from __future__ import annotations

import os
import random
import threading
from collections.abc import Sequence
from pathlib import Path

from ipclab.building_blocks.stream_sender import unread_bytes

_LOOK_EVERY_S = 0.0002
_READ_BYTES = 4096


def make_fifo(path: Path) -> int:
    """The descriptor of a new FIFO, both ends in one; an old file of that name is removed.

    :raises OSError: it cannot be made
    """
    path.unlink(missing_ok=True)
    os.mkfifo(path, 0o600)
    return os.open(path, os.O_RDWR | os.O_CLOEXEC)


class Relay:
    """From one descriptor to the other, in pieces of 1 to `most` bytes; `seed` draws their sizes.

    :param pauses: byte counts, in order; each pause makes the file `paused`.N, and ends with `resume`
    """

    def __init__(
        self, source: int, target: int, most: int, seed: int = 0, pauses: Sequence[int] = (), paused: Path = Path()
    ) -> None:
        self._source = source
        self._target = target
        self._most = most
        self._sizes = random.Random(seed)
        self._pauses = list(pauses)
        self._paused = paused
        self._passed = 0  # bytes
        self._resumes = threading.Semaphore(0)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="relay", daemon=True)

    def start(self) -> None:
        """Begin, in a thread of its own."""
        self._thread.start()

    def resume(self) -> None:
        """End one pause."""
        self._resumes.release()

    def stop(self) -> None:
        """End after the piece in hand; what is in the pipes stays there."""
        self._stop.set()

    def join(self) -> None:
        """Wait for the end that `stop` asked for; a relay that waits for bytes ends with the next one."""
        self._thread.join()

    def _run(self) -> None:
        number = 0
        while not self._stop.is_set():
            data = memoryview(os.read(self._source, _READ_BYTES))
            while data and self._wait_until_read():
                if number < len(self._pauses) and self._passed >= self._pauses[number]:
                    number += 1
                    self._paused.with_name(f"{self._paused.name}.{number}").touch()
                    self._resumes.acquire()
                count = os.write(self._target, data[: self._next_size(number)])
                self._passed += count
                data = data[count:]

    def _next_size(self, number: int) -> int:
        size = self._sizes.randint(1, self._most)
        return min(size, self._pauses[number] - self._passed) if number < len(self._pauses) else size

    def _wait_until_read(self) -> bool:
        """Until the reader has taken the last piece; False when it is time to stop."""
        while unread_bytes(self._target):
            if self._stop.wait(_LOOK_EVERY_S):
                return False
        return not self._stop.is_set()
