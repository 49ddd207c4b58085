"""A plain file: one appends, the other looks again and again. The baseline that the textbooks warn about.

Sources: open(2), write(2), flock(2), fsync(2). A file has no borders, no order between writers, no bound, and
wakes nobody. All of it has to be added: checked frames (`ipclab.framing`); flock(2) around "where is the end?
write there", without which (`lock=False`) two writers write over each other; a largest size; and a reader that
polls, 1 ms after the last message and up to 20 ms later. fsync(2) is for a crash of the machine, and slow;
what is written survives the writer in any case.

The reader shortens the file when it has read all of it and it is long, or nothing more comes. A full file
(16 MiB) is EAGAIN and a full volume ENOSPC; both are over when the reader has caught up.
"""

from __future__ import annotations

import errno
import os
import time

from ipclab.channel import (
    Address,
    ClosingEndpoint,
    Communication,
    Direction,
    Kind,
    OnFull,
    Persistence,
    Sharing,
    Traits,
    Wait,
)
from ipclab.errors import ChannelFull, MessageTooLarge, PeerGone
from ipclab.framing import PREFIX_BYTES, trailer, write_prefix
from ipclab.mechanisms._file import HEADER_BYTES, MAX_MESSAGE_BYTES, SharedFile, named, open_file
from ipclab.mechanisms._file_reader import FileReceiver

MAX_FILE_BYTES = 1 << 24
_PAUSES_S = (0.00005, 0.005)
_NO_SPACE = (errno.ENOSPC, errno.EDQUOT)


class PlainFileSender(ClosingEndpoint):
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
        pause = _PAUSES_S[0]
        try:
            while obstacle := self._try_append([prefix, payload, trailer(payload)]):
                left = deadline - time.monotonic()
                if left <= 0:
                    raise ChannelFull(f"file {self._file.path}: {os.strerror(obstacle)}", code=obstacle)
                time.sleep(min(pause, left))
                pause = min(2 * pause, _PAUSES_S[1])
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


class PlainFile:
    """See the module."""

    traits = Traits(
        kind=Kind.BYTE_STREAM,
        ordered=True,
        reliable=True,
        max_message_bytes=MAX_MESSAGE_BYTES,
        on_full=OnFull.BLOCK,
        persistence=Persistence.FILESYSTEM,
        direction=Direction.ONE_WAY,
        communication=Communication.INDIRECT,
        many_senders=True,
        many_receivers=False,
        requires=frozenset({Sharing.VOLUME}),
        copies=3,  # into the page cache, out of it, out of the read buffer
        send_errnos=("EAGAIN", "ENOENT", "ENOSPC"),
        man_page="open(2)",
        waits=(Wait.POLL,),
        sources={
            "kind": "write(2)",
            "ordered": "flock(2)",
            "reliable": "write(2)",
            "max_message_bytes": "ipclab.framing",
            "on_full": "ipclab.mechanisms.plain_file",
            "persistence": "inode(7)",
            "direction": "ipclab.mechanisms.plain_file",
            "communication": "path_resolution(7)",
            "many_senders": "flock(2)",
            "many_receivers": "ipclab.mechanisms._file",
            "requires": "path_resolution(7)",
            "copies": "write(2), read(2), and ipclab.framing",
            "waits": "ipclab.mechanisms.plain_file",
            "send_errnos": "open(2), write(2); EAGAIN: ipclab.mechanisms.plain_file",
        },
    )

    def __init__(self, *, lock: bool = True, fsync: bool = False) -> None:
        self._lock = lock
        self._fsync = fsync

    def create_receiver(self, address: Address) -> FileReceiver:
        return FileReceiver(open_file(address.path, SharedFile.adopt, locking=self._lock, flags=os.O_CREAT))

    def open_sender(self, address: Address) -> PlainFileSender:
        return PlainFileSender(open_file(address.path, SharedFile.expect, locking=self._lock), fsync=self._fsync)


MECHANISM = PlainFile()
