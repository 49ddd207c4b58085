"""A plain file: the producer appends, the kernel notifies the consumer, the consumer reads; the textbook's baseline.

Sources: open(2), write(2), flock(2), fsync(2), inotify(7). A file has no borders, no order between writers, no bound,
and wakes no reader. The mechanism adds all of it: checked frames (`ipclab.building_blocks.framing`); flock(2) around
"find the end and write there", without which (`lock=False`) two writers overwrite each other; a largest size; and
inotify(7), by which the kernel reports a change to the reader. Without inotify the reader polls, 1 ms after the last
message and up to 20 ms later. A message is read from the page cache and has not been on the disk: fsync(2) is for a
crash of the machine, and shows the cost of the disk. Written bytes survive the writer in any case.

The receiver waits for changes, stores its position in the file, and shortens the file once it has read all of a long
file or no message comes. A full file (16 MiB) is EAGAIN and a full volume ENOSPC; both end when the reader has caught
up. The sender finds the end and writes there, both under the lock.

Measured beside a FIFO (twice: 1 KiB, two CPUs with other load of up to 63 and 73 %, ext4, medians of 5 runs): an append
takes 1.7 to 2.6 times as long, and the cost of the lock is below the difference between runs; with fsync 18 to 273
times, depending on the disk. Without the lock 1 message of 21,800 was lost. A single message took 213 and 237 µs with
inotify, 8.8 and 9.4 ms with a polling reader, 84 and 87 µs through a FIFO (medians of 60, twice, every 30 ms,
2026-11-28, two CPUs with much other work).
"""

from __future__ import annotations

import errno
import logging
import os
import time
from contextlib import suppress

from ipclab.building_blocks.framing import PREFIX_BYTES, FrameReader, trailer, write_prefix
from ipclab.building_blocks.message_size import MAX_MESSAGE_BYTES, over_limit
from ipclab.building_blocks.names import LosingName
from ipclab.building_blocks.shared_file import HEADER_BYTES, SharedFile, file_error, open_file
from ipclab.building_blocks.shared_words import FileWords, WordsInFile, remove_words
from ipclab.contract.channel import (
    Address,
    ClosingEndpoint,
    Communication,
    Direction,
    Fact,
    Kind,
    OnFull,
    Persistence,
    Sharing,
    Switch,
    Traits,
    Tuning,
    Wait,
)
from ipclab.contract.errors import EMPTY, ChannelFull, PeerGone, ReceiveTimeout
from ipclab.linux.inotify import Watch

LONG_BYTES = 1 << 20
_IDLE_S = 0.04  # without a change: no process writes
_log = logging.getLogger("ipclab")
_READER_PAUSES_S = (0.001, 0.02)
_LOCKED_PAUSE_S = 0.00005


def _watch(file: SharedFile) -> Watch | None:
    try:
        return Watch(file.descriptor)
    except OSError as error:
        code = errno.errorcode.get(error.errno or 0, "?")
        _log.warning("file %s: no inotify (%s, %s); looking every 1 to 20 ms instead", file.path, code, error.strerror)
        return None


class FileReceiver(ClosingEndpoint):
    """Looks whether there is more; owns the file. A message counts as read when it is handed out.

    It sleeps until inotify(7) tells of a change. Where that is not to be had, or was not wanted, it looks again every 1
    to 20 ms; `waits_by` says which.
    """

    def __init__(self, file: SharedFile, wait: Wait = Wait.BLOCK) -> None:
        self._file = file
        self._watch = _watch(file) if wait is Wait.BLOCK else None
        self.waits_by = Wait.POLL if self._watch is None else Wait.BLOCK
        self._frames = FrameReader(MAX_MESSAGE_BYTES, checked=True)
        self._offset = file.read_to
        self._losing = LosingName(file.is_linked, file.gone)

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        deadline = time.monotonic() + timeout_s
        pause = _READER_PAUSES_S[0] if self._watch is None else _IDLE_S
        idle = False
        try:
            while (length := self._next_into(buffer)) is None:
                count = self._read_more()
                if count:
                    continue
                if count is not None:
                    self._tidy(idle=idle)
                left = deadline - time.monotonic()
                if left <= 0:
                    timeout = ReceiveTimeout(f"file {self._file.path}: nothing new", code=EMPTY)
                    raise self._losing.timed_out(timeout)
                if count is None:
                    time.sleep(min(_LOCKED_PAUSE_S, left))
                elif self._watch is None:
                    time.sleep(min(pause, left))
                    pause = min(2 * pause, _READER_PAUSES_S[1])
                    idle = pause == _READER_PAUSES_S[1]
                elif not self._changes(self._watch, min(pause, left)):
                    pause, idle = left, True
        except OSError as error:
            raise file_error(self._file.path, error) from error
        return length

    def close(self) -> None:
        if self._watch:
            self._watch.close()
        self._file.close()

    def remove(self) -> None:
        self.close()
        with suppress(OSError):
            self._file.path.unlink()
        remove_words(self._file.path)

    def _changes(self, watch: Watch, within_s: float) -> bool:
        """Sleep until another process changes the file. Own changes before this call do not count."""
        watch.forget()
        return self._file.length() != self._offset or watch.wait(within_s)

    def _read_more(self) -> int | None:
        """The number of new bytes; None if a sender has the lock, which may still take its bytes back."""
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
        """At the end: skip what a dead writer never finished; shorten the file if it is long, or no process writes.

        The holder of the lock knows that no process writes. Without locks only the passing time shows it.
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
            if length < self._offset:  # another process without locks shortened the file
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

    def check_linked(self) -> None:
        """See `ipclab.contract.optional_parts.FoundByName`."""
        if not self._file.is_linked():
            raise self._file.gone()

    def send(self, payload: memoryview, timeout_s: float) -> None:
        if len(payload) > MAX_MESSAGE_BYTES:
            raise over_limit(len(payload), MAX_MESSAGE_BYTES)
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
            raise file_error(self._file.path, error) from error
        if self._fsync:
            self._to_disk()

    def _try_append(self, record: list[bytearray | memoryview | bytes]) -> int:
        """0, or the errno of what is in the way; then nothing was written."""
        file = self._file
        if not file.try_lock():
            return errno.EAGAIN
        try:
            end = file.linked_length()
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


_COPIES = Fact(
    3,  # into the page cache, out of it, out of the read buffer
    "write(2), read(2), and ipclab.building_blocks.framing",
    "2: into the page cache and out of it (write(2), read(2))",
)


class PlainFile(WordsInFile):
    """See the module."""

    make_words = FileWords
    traits = Traits(
        kind=Fact(Kind.BYTE_STREAM, "write(2)"),
        ordered=Fact(
            True,
            "flock(2), and ipclab.mechanisms.plain_file: every message is appended",
            "none: a writer writes where it likes, and what is there is overwritten (pwrite(2))",
        ),
        reliable=Fact(
            True,
            "flock(2), and ipclab.mechanisms.plain_file",
            "a file keeps what was written, until another writes over it (write(2))",
        ),
        max_message_bytes=Fact(
            MAX_MESSAGE_BYTES,
            "ipclab.building_blocks.framing",
            "no messages and no limit: a byte stream has no borders (write(2))",
        ),
        on_full=Fact(
            OnFull.BLOCK,
            "ipclab.mechanisms.plain_file",
            "fails with ENOSPC once the file system is full; no writer is made to wait (write(2))",
        ),
        persistence=Fact(Persistence.FILESYSTEM, "inode(7)"),
        direction=Fact(
            Direction.ONE_WAY,
            "ipclab.mechanisms.plain_file",
            "any: every process that may open the file may read and write it (open(2))",
        ),
        communication=Fact(Communication.INDIRECT, "path_resolution(7)"),
        many_senders=Fact(
            True,
            "flock(2), and ipclab.mechanisms.plain_file",
            "many may write one file; nothing keeps their writes apart (write(2))",
        ),
        many_receivers=Fact(
            False,
            "ipclab.building_blocks.shared_file",
            "many may read one file, and each reads all of it: reading takes nothing away (read(2))",
        ),
        requires=Fact(frozenset({Sharing.VOLUME}), "path_resolution(7)"),
        copies=_COPIES,
        copies_large=_COPIES,
        copies_by_send=_COPIES,
        waits=Fact(
            (Wait.BLOCK, Wait.POLL),
            "inotify(7), and ipclab.mechanisms.plain_file",
            "none: read(2) at the end of a file returns 0 at once, and waits for nothing",
        ),
        send_errnos=Fact(
            ("EAGAIN", "ENOENT", "ENOSPC"),
            "open(2), write(2); EAGAIN: flock(2), and ipclab.mechanisms.plain_file",
            "EAGAIN is of the lock alone; a write to a regular file never is (open(2), O_NONBLOCK)",
        ),
        man_page="open(2)",
        switches={Switch.FSYNC: False, Switch.APPEND_LOCK: True, Switch.RACE_LOCK: True},
    )

    def __init__(self, *, lock: bool = True, fsync: bool = False, wait: Wait | None = None) -> None:
        self._wait = wait or Wait.BLOCK
        self.lock = lock
        self.fsync = fsync

    def tuned(self, tuning: Tuning) -> PlainFile:
        switches = {str(switch): on for switch, on in tuning.switches.items()}
        return PlainFile(
            lock=switches.get(Switch.APPEND_LOCK, self.lock),
            fsync=switches.get(Switch.FSYNC, self.fsync),
            wait=tuning.wait,
        )

    def create_receiver(self, address: Address) -> FileReceiver:
        file = open_file(address.path, SharedFile.adopt, locking=self.lock, flags=os.O_CREAT)
        return FileReceiver(file, self._wait)

    def open_sender(self, address: Address) -> FileSender:
        return FileSender(open_file(address.path, SharedFile.expect, locking=self.lock), fsync=self.fsync)


MECHANISM = PlainFile()
