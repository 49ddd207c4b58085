"""The reading end of `plain_file`: it polls, remembers how far it got, and keeps the file short."""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress

from ipclab.building_blocks.framing import FrameReader
from ipclab.building_blocks.shared_file import HEADER_BYTES, MAX_MESSAGE_BYTES, SharedFile, named
from ipclab.building_blocks.shared_words import remove_words
from ipclab.contract.channel import ClosingEndpoint
from ipclab.contract.errors import ReceiveTimeout

LONG_BYTES = 1 << 20
_READER_PAUSES_S = (0.001, 0.02)
_LOCKED_PAUSE_S = 0.00005


class FileReceiver(ClosingEndpoint):
    """Looks whether there is more; owns the file. A message counts as read when it is handed out."""

    def __init__(self, file: SharedFile) -> None:
        self._file = file
        self._frames = FrameReader(MAX_MESSAGE_BYTES, checked=True)
        self._offset = file.read_to

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        deadline = time.monotonic() + timeout_s
        pause = _READER_PAUSES_S[0]
        try:
            while (length := self._next_into(buffer)) is None:
                count = self._read_more()
                if count:
                    continue
                if count is not None:
                    self._tidy(idle=pause == _READER_PAUSES_S[1])
                left = deadline - time.monotonic()
                if left <= 0:
                    raise ReceiveTimeout(f"file {self._file.path}: nothing new", code=errno.EAGAIN)
                time.sleep(min(_LOCKED_PAUSE_S if count is None else pause, left))
                if count is not None:
                    pause = min(2 * pause, _READER_PAUSES_S[1])
        except OSError as error:
            raise named(self._file.path, error) from error
        return length

    def close(self) -> None:
        self._file.close()

    def remove(self) -> None:
        self.close()
        with suppress(OSError):
            self._file.path.unlink()
        remove_words(self._file.path)

    def _read_more(self) -> int | None:
        """How many bytes were new; None if somebody has the lock, who may yet take back what is there."""
        file = self._file
        if file.length() == self._offset:
            return 0
        if not file.try_lock():
            return None
        try:
            count = os.preadv(file.descriptor, [self._frames.space()], self._offset)
        finally:
            file.unlock()
        self._frames.filled(count)
        self._offset += count
        return count

    def _next_into(self, buffer: memoryview) -> int | None:
        try:
            return self._frames.next_into(buffer)
        finally:
            position = self._offset - self._frames.pending_bytes
            if position != self._file.read_to:
                self._file.store_position(position)

    def _tidy(self, *, idle: bool) -> None:
        """At the end: skip what a dead writer never finished; shorten the file if it is long, or nobody writes.

        Whoever has the lock knows that nobody is writing. Without locks only the time that passes can tell.
        """
        file, pending = self._file, self._frames.pending_bytes
        shorten = not pending and self._offset > (HEADER_BYTES if idle else LONG_BYTES)
        skip = pending and (idle or file.locking)
        if file.length() >= self._offset and not shorten and not skip:
            return
        if not file.try_lock():
            return
        try:
            length = file.length()
            if length < self._offset:  # somebody without locks made it shorter
                self._begin_anew()
            elif length == self._offset and shorten:
                file.shorten()
                self._begin_anew()
            elif length == self._offset:
                self._frames.give_up()
        finally:
            file.unlock()

    def _begin_anew(self) -> None:
        self._frames = FrameReader(MAX_MESSAGE_BYTES, checked=True)
        self._offset = HEADER_BYTES
