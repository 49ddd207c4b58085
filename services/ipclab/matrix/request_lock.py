"""The lock that serves the askers of a one-way channel one after the other.

A ring has one producer, and a pipe or a file does not say which process wrote to it: a one-way channel serves one asker
at a time. The request lock is flock(2) on an object beside the channel, found in the way in which the channel itself is
found: a file on the volume or in /dev/shm, or a message queue in the IPC namespace, whose descriptor can be locked like
any other. The kernel frees the lock when its owner dies. The answerer makes and removes the object; an asker only opens
it.
"""

from __future__ import annotations

import errno
import os
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from ipclab.building_blocks.kernel_objects import MODE, object_name, posix_opening
from ipclab.building_blocks.libraries import posix_ipc
from ipclab.contract.channel import Address, Sharing, Traits
from ipclab.contract.errors import AccessRefused, ChannelFull, PeerAbsent, Unusable
from ipclab.linux import file_lock

_SHM = Path("/dev/shm")
_POLL_EVERY_S = 0.002


class LockObject(Protocol):
    """The place of a channel's lock."""

    def make(self) -> None:
        """Make it, or leave the one that is there.

        :raises AccessRefused: another user's is in the way
        :raises Unusable: it cannot be made here
        """

    def open(self) -> int:
        """A descriptor to lock.

        :raises PeerAbsent: there is no answerer
        :raises AccessRefused: it is another user's
        """

    def remove(self) -> None:
        """Take it away. Never raises."""


@dataclass(frozen=True)
class LockFile:
    """A file, empty for ever."""

    path: Path

    def make(self) -> None:
        try:
            os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
        except PermissionError as error:
            raise AccessRefused(f"{self.path}: {error.strerror}", code=error.errno or errno.EACCES) from error
        except OSError as error:
            raise Unusable(f"{self.path}: {error.strerror}", code=error.errno or errno.EIO) from error

    def open(self) -> int:
        try:
            return os.open(self.path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except PermissionError as error:
            raise AccessRefused(f"{self.path}: {error.strerror}", code=error.errno or errno.EACCES) from error
        except OSError as error:
            raise PeerAbsent(f"{self.path}: {error.strerror}", code=error.errno or errno.ENOENT) from error

    def remove(self) -> None:
        with suppress(OSError):
            self.path.unlink()


@dataclass(frozen=True)
class LockQueue:
    """A POSIX message queue, empty for ever: on Linux its descriptor is one of a file (mq_overview(7))."""

    name: str

    def make(self) -> None:
        os.close(self._opened(posix_ipc.O_CREAT))

    def open(self) -> int:
        return self._opened(0)

    def _opened(self, flags: int) -> int:
        with posix_opening("message queue", self.name):
            queue = posix_ipc.MessageQueue(self.name, flags, mode=MODE, max_messages=1, max_message_size=1)
        try:
            return os.dup(queue.mqd)
        finally:
            queue.close()

    def remove(self) -> None:
        with suppress(posix_ipc.Error, OSError):
            posix_ipc.unlink_message_queue(self.name)


def lock_object(traits: Traits, address: Address) -> LockObject:
    """The place of the lock of the channel at `address`.

    :raises Unusable: the mechanism needs a network alone, so there is no place to meet
    """
    if Sharing.VOLUME in traits.requires:
        return LockFile(address.path.with_name(f"{address.path.name}.request-lock"))
    name = f"{object_name(address)}.request-lock"
    if Sharing.DEV_SHM in traits.requires:
        return LockFile(_SHM / name.removeprefix("/"))
    if Sharing.IPC_NAMESPACE in traits.requires:
        return LockQueue(name)
    raise Unusable("a one-way channel over a network alone has no place for the request lock", code=errno.ENOTSUP)


class RequestLock:
    """The request lock, held from the constructor until `release`."""

    def __init__(self, lock: LockObject, timeout_s: float) -> None:
        """Wait for the lock.

        :raises PeerAbsent: there is no answerer
        :raises AccessRefused: it is another user's
        :raises ChannelFull: EAGAIN, others had it for all of `timeout_s`
        """
        self._descriptor = lock.open()
        deadline = time.monotonic() + timeout_s
        while not file_lock.try_lock(self._descriptor):
            if time.monotonic() >= deadline:
                self.release()
                raise ChannelFull(f"another probe is asking: {lock} is locked", code=errno.EAGAIN)  # by flock(2)
            time.sleep(_POLL_EVERY_S)

    def release(self) -> None:
        """Let the next one ask. Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
