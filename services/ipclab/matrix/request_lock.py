"""The lock that serves the askers of a one-way channel one after the other.

A ring has one producer, and a pipe or a file does not say which process wrote to it: a one-way channel serves one asker
at a time. The request lock is flock(2) on a file beside the channel, in the place that the mechanism needs anyway: the
volume, or /dev/shm, which belongs to the IPC namespace. The kernel frees the lock when its owner dies. The answerer
makes and removes the file; an asker only opens it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path

from ipclab.contract.channel import Address, Sharing, Traits
from ipclab.contract.errors import AccessRefused, ChannelFull, PeerAbsent, Unusable

_SHM = Path("/dev/shm")
_LOOK_AGAIN_S = 0.002


def lock_file(traits: Traits, address: Address) -> Path:
    """Where the lock of the channel at `address` lives.

    :raises Unusable: the mechanism needs neither a volume nor an IPC namespace, so there is no place to meet
    """
    if Sharing.VOLUME in traits.requires:
        return address.path.with_name(f"{address.path.name}.request-lock")
    if Sharing.IPC_NAMESPACE in traits.requires:
        return _SHM / f"ipclab-{address.path.name or format(address.key, 'x')}.request-lock"
    raise Unusable("a one-way channel without a common file system has no place for the lock", code=errno.ENOTSUP)


def make(path: Path) -> None:
    """Make the file, or leave the one that is there.

    :raises AccessRefused: somebody else's is in the way
    :raises Unusable: it cannot be made here
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600))
    except PermissionError as error:
        raise AccessRefused(f"{path}: {error.strerror}", code=error.errno or errno.EACCES) from error
    except OSError as error:
        raise Unusable(f"{path}: {error.strerror}", code=error.errno or errno.EIO) from error


def remove(path: Path) -> None:
    """Take the file away. Never raises."""
    with suppress(OSError):
        path.unlink()


class RequestLock:
    """The request lock, held from the constructor until `release`."""

    def __init__(self, path: Path, timeout_s: float) -> None:
        """Wait for the lock.

        :raises PeerAbsent: there is no answerer
        :raises AccessRefused: it is somebody else's
        :raises ChannelFull: others had it for all of `timeout_s`
        """
        try:
            self._descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
        except PermissionError as error:
            raise AccessRefused(f"{path}: {error.strerror}", code=error.errno or errno.EACCES) from error
        except OSError as error:
            raise PeerAbsent(f"{path}: {error.strerror}", code=error.errno or errno.ENOENT) from error
        deadline = time.monotonic() + timeout_s
        while not self._try_lock():
            if time.monotonic() >= deadline:
                self.release()
                raise ChannelFull(f"somebody else is asking: {path} is locked", code=errno.EBUSY)
            time.sleep(_LOOK_AGAIN_S)

    def release(self) -> None:
        """Let the next one ask. Idempotent."""
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1

    def _try_lock(self) -> bool:
        try:
            fcntl.flock(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True
