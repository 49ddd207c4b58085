"""The child of exercise 8: reads messages on its standard input, accounts for each one, and can confirm it.

The student's program makes the pipes, forks, and executes this receiver (pipe(2), fork(2), dup2(2), execve(2)). A
confirmation is the sequence number of the message, 8 bytes, little-endian. It is written after the message is in the
ledger. It is shorter than PIPE_BUF, so it is never torn (pipe(7)).

The child kills itself with SIGKILL as the lab asks (`Deaths`): once when a message is in the ledger and not confirmed
yet, and once when a message was taken out of the pipe and is not in the ledger. These are the two moments that differ.
"""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Sequence
from pathlib import Path

from ipclab.accounting import message
from ipclab.accounting.checker import Checker
from ipclab.accounting.message import CorruptMessage
from ipclab.building_blocks.framing import FrameReader
from ipclab.building_blocks.message_size import MAX_MESSAGE_BYTES
from ipclab.contract.errors import MessageTooLarge, TornMessage

CONFIRMATION_BYTES = 8


class Deaths:
    """When the child dies: at its `numbers[n]`th message for the nth time, across its lives.

    The file has a line for each death that has happened, so the next life knows the next number.
    """

    def __init__(self, file: Path, numbers: Sequence[int] = ()) -> None:
        self._file = file
        happened = file.read_bytes().count(b"\n") if numbers and file.exists() else 0
        self._next = numbers[happened] if happened < len(numbers) else None
        self._before_ledger = bool(happened % 2)

    def due(self, received: int, *, before_ledger: bool) -> bool:
        """Whether the child dies now; every second death is before the ledger."""
        return self._next is not None and received >= self._next and before_ledger == self._before_ledger

    def die(self) -> None:
        """Note it, and end as under kill -9: no handler, no flush."""
        with self._file.open("a") as file:
            file.write(f"{os.getpid()}\n")
        os.kill(os.getpid(), signal.SIGKILL)


class Child:
    """One life of the receiver, over any pair of descriptors."""

    def __init__(self, checker: Checker, deaths: Deaths, confirm: Callable[[bytes], object] | None) -> None:
        self._checker = checker
        self._deaths = deaths
        self._confirm = confirm
        self._frames = FrameReader(MAX_MESSAGE_BYTES)
        self._buffer = memoryview(bytearray(MAX_MESSAGE_BYTES))

    def run(self, descriptor: int) -> None:
        """Until the end of the stream: read(2) returns 0 when the last writing end is closed.

        :raises OSError: the descriptor cannot be read, or a confirmation cannot be written
        """
        while True:
            try:
                length = self._frames.next_into(self._buffer)
                if length is not None:
                    self._enter(self._buffer[:length])
                    continue
                count = os.readv(descriptor, [self._frames.space()])
                if not count:
                    self._frames.end_of_stream()
                    return
                self._frames.filled(count)
            except (TornMessage, MessageTooLarge, CorruptMessage):
                self._checker.corrupt()

    def _enter(self, arrived: memoryview) -> None:
        header = message.parse(arrived)
        received = sum(stream.received for stream in self._checker.streams())
        if self._deaths.due(received, before_ledger=True):
            self._deaths.die()
        self._checker.account(header.producer, header.epoch, header.sequence)
        if self._deaths.due(received, before_ledger=False):
            self._deaths.die()
        if self._confirm:
            self._confirm(header.sequence.to_bytes(CONFIRMATION_BYTES, "little"))
