"""The writing end of `plain_file`: it looks where the end is and writes there, and does both under the lock."""

from __future__ import annotations

import errno
import os
import time

from ipclab.building_blocks.framing import PREFIX_BYTES, trailer, write_prefix
from ipclab.building_blocks.shared_file import HEADER_BYTES, MAX_MESSAGE_BYTES, SharedFile, named
from ipclab.contract.channel import ClosingEndpoint
from ipclab.contract.errors import ChannelFull, MessageTooLarge, PeerGone

MAX_FILE_BYTES = 1 << 24
_WRITER_PAUSES_S = (0.00005, 0.005)
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class FileSender(ClosingEndpoint):
    """Appends."""

    def __init__(self, file: SharedFile, *, fsync: bool) -> None:
        self._file = file
        self._fsync = fsync

    def close(self) -> None:
        self._file.close()

    def send(self, payload: memoryview, timeout_s: float) -> None:
        if len(payload) > MAX_MESSAGE_BYTES:
            raise MessageTooLarge(f"{len(payload)} bytes; at most {MAX_MESSAGE_BYTES}", code=errno.EMSGSIZE)
        prefix = bytearray(PREFIX_BYTES)
        write_prefix(memoryview(prefix), len(payload))
        deadline = time.monotonic() + timeout_s
        pause = _WRITER_PAUSES_S[0]
        try:
            while obstacle := self._try_append([prefix, payload, trailer(payload)]):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise ChannelFull(f"file {self._file.path}: {os.strerror(obstacle)}", code=obstacle)
                time.sleep(min(pause, left))
                pause = min(2 * pause, _WRITER_PAUSES_S[1])
        except OSError as error:
            raise named(self._file.path, error) from error
        if self._fsync:
            self._to_disk()

    def _try_append(self, record: list[bytearray | memoryview | bytes]) -> int:
        """0, or the errno of what is in the way; then nothing was written."""
        file = self._file
        if not file.try_lock():
            return errno.EAGAIN
        try:
            end = file.length()
            if not file.position():  # a reader died while it shortened the file
                file.shorten()
                end = HEADER_BYTES
            size = sum(map(len, record))
            if end + size > MAX_FILE_BYTES:
                return errno.EAGAIN
            try:
                if os.pwritev(file.descriptor, record, end) == size:
                    return 0
            except OSError as error:
                if error.errno not in _NO_SPACE:
                    raise
            os.ftruncate(file.descriptor, end)  # the part that did fit
            return errno.ENOSPC
        finally:
            file.unlock()

    def _to_disk(self) -> None:
        try:
            os.fdatasync(self._file.descriptor)
        except OSError as error:
            what = f"file {self._file.path}: {error.strerror}"
            raise PeerGone(what, code=error.errno or errno.EIO, may_be_delivered=True) from error
