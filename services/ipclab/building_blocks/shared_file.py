"""The file under `plain_file`: its header, its lock, its length.

offset  bytes  field
     0      8  magic
     8      8  position: up to here all was read, so the next reader goes on here;
               0: all was read, and the reader was about to shorten the file
    16         frames
"""

from __future__ import annotations

import errno
import fcntl
import os
import stat
import struct
import time
from collections.abc import Callable
from pathlib import Path

from ipclab.building_blocks import kernel_objects
from ipclab.building_blocks.names import Name
from ipclab.contract.channel import ClosingEndpoint
from ipclab.contract.errors import ChannelError, PeerGone
from ipclab.linux import file_lock

_HEADER = struct.Struct("<8sQ")
_POSITION = struct.Struct("<Q")
_MAGIC = b"IPCLFIL1"
HEADER_BYTES = _HEADER.size
_POSITION_OFFSET = HEADER_BYTES - _POSITION.size
_LOCK_TIMEOUT_S = 1.0


class SharedFile(ClosingEndpoint):
    """One descriptor of the file. Without `locking` the lock is always free."""

    def __init__(self, path: Path, flags: int, *, locking: bool) -> None:
        self.path = path
        self.locking = locking
        self.read_to = HEADER_BYTES
        self.descriptor = os.open(path, flags | os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC, 0o600)
        if not stat.S_ISREG(os.fstat(self.descriptor).st_mode):
            self.close()
            raise OSError(errno.EEXIST, "it is there and is no plain file; remove it")
        self._name = Name.opened(path, self.descriptor)

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def expect(self) -> None:
        """Find a file that a reader has made.

        :raises OSError: it is empty, or a file of another program
        """
        if not self._has_header():
            raise FileNotFoundError(errno.ENOENT, "it is empty: no reader has made it yet")

    def adopt(self) -> None:
        """Be its only reader, and make whole what an earlier one left.

        :raises OSError: it is a file of another program, or another receiver reads it
        """
        try:
            # fcntl(2): of the first byte, for as long as we live. flock(2) knows nothing of it.
            fcntl.lockf(self.descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB, 1)
        except (BlockingIOError, PermissionError) as error:
            raise OSError(errno.EAGAIN, "another receiver reads it") from error
        deadline = time.monotonic() + _LOCK_TIMEOUT_S
        while not self.try_lock():
            if time.monotonic() > deadline:
                raise OSError(errno.EAGAIN, "another process keeps it locked")
            time.sleep(0.001)
        try:
            if not self._has_header():
                os.pwrite(self.descriptor, _HEADER.pack(_MAGIC, HEADER_BYTES), 0)
            self.read_to = self.position()
            if not HEADER_BYTES <= self.read_to <= self.length():
                self.shorten()
        finally:
            self.unlock()

    def try_lock(self) -> bool:
        """Take the file's lock if it is free, for one read or one write; without locking always True."""
        return not self.locking or file_lock.try_lock(self.descriptor)

    def unlock(self) -> None:
        """Free the lock."""
        if self.locking:
            file_lock.unlock(self.descriptor)

    def length(self) -> int:
        """The position of the next frame, in bytes."""
        return os.fstat(self.descriptor).st_size

    def linked_length(self) -> int:
        """The same, for the sender.

        :raises PeerGone: the file has lost its name
        """
        status = os.fstat(self.descriptor)
        if not status.st_nlink:
            raise self.gone()
        return status.st_size

    def is_linked(self) -> bool:
        """Can the next process find this file by its name?"""
        return self._name.is_linked()

    def gone(self) -> PeerGone:
        """The error where it cannot."""
        return self._name.gone(f"file {self.path}")

    def position(self) -> int:
        """The position up to which the file was read, in bytes.

        :raises OSError: another process cut the header off
        """
        stored = os.pread(self.descriptor, _POSITION.size, _POSITION_OFFSET)
        if len(stored) < _POSITION.size:
            raise OSError(errno.EIO, "its header is gone")
        return int(_POSITION.unpack(stored)[0])

    def store_position(self, position: int) -> None:
        """All before `position` was read."""
        os.pwrite(self.descriptor, _POSITION.pack(position), _POSITION_OFFSET)
        self.read_to = position

    def shorten(self) -> None:
        """Shorten a file that was read to its end. The next receiver repeats this after a death within (position 0)."""
        self.store_position(0)
        os.ftruncate(self.descriptor, HEADER_BYTES)
        self.store_position(HEADER_BYTES)

    def _has_header(self) -> bool:
        header = os.pread(self.descriptor, HEADER_BYTES, 0)
        if header and (len(header) < HEADER_BYTES or not header.startswith(_MAGIC)):
            raise OSError(errno.EEXIST, "it is there and is none of ours; remove it")
        return bool(header)


def open_file(path: Path, prepare: Callable[[SharedFile], None], *, locking: bool, flags: int = 0) -> SharedFile:
    """Open the file at `path` and `prepare` it.

    :raises ChannelError: see `file_error`
    """
    try:
        file = SharedFile(path, flags, locking=locking)
        try:
            prepare(file)
        except BaseException:
            file.close()
            raise
    except OSError as error:
        raise file_error(path, error) from error
    return file


def file_error(path: Path, error: OSError) -> ChannelError:
    """The error of opening or using the file at `path`."""
    code = error.errno or errno.EIO
    if code in (errno.EIO, errno.ESTALE):
        return PeerGone(f"file {path}: {error.strerror}", code=code)
    return kernel_objects.open_error(f"file {path}", error)
