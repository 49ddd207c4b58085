"""What the mechanisms with POSIX names share: the names, memory that is really there, what errors mean.

`posix_ipc` raises `ExistentialError` for both ENOENT and EEXIST and sets no errno, and `ValueError` for what
the kernel calls EINVAL and ENAMETOOLONG; so the meaning comes from what was tried.

What the System V mechanisms share: what `sysv_ipc` means when it raises.

`sysv_ipc` raises `ExistentialError` for both ENOENT and EEXIST and sets no errno; EIDRM arrives as one
too, and a queue that is gone as `OSError(EINVAL)`. So the meaning comes from what was tried.

What an `OSError` of opening something with a name in the filesystem means: files, FIFOs, POSIX objects.
"""

from __future__ import annotations

import errno
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager

from ipclab.building_blocks.libraries import posix_ipc, sysv_ipc
from ipclab.contract.channel import Address
from ipclab.contract.errors import AccessRefused, ChannelError, PeerAbsent, PeerGone, Unusable


def require_semaphore_timeouts() -> None:
    """The published wheels of sysv_ipc lack semtimedop(2) and would hang for ever.

    :raises Unusable: this build of sysv_ipc has no semaphore timeouts
    """
    if not sysv_ipc.SEMAPHORE_TIMEOUT_SUPPORTED:
        raise Unusable("sysv_ipc was built without semtimedop; install it with --no-binary", code=errno.ENOSYS)


@contextmanager
def sysv_opening(what: str, key: int) -> Iterator[None]:
    """Name the errors of making or opening the object with `key`."""
    try:
        yield
    except sysv_ipc.PermissionsError as error:
        raise AccessRefused(f"{what} {key:#x}: {error}", code=errno.EACCES) from error
    except sysv_ipc.ExistentialError as error:
        raise PeerAbsent(f"{what} {key:#x}: {error}", code=errno.ENOENT) from error
    except sysv_ipc.Error as error:
        raise PeerAbsent(f"{what} {key:#x}: {error}", code=errno.EAGAIN) from error
    except ValueError as error:
        raise Unusable(f"{what} {key:#x}: {error}", code=errno.EINVAL) from error
    except MemoryError as error:
        raise Unusable(f"{what} {key:#x}: {error}", code=errno.ENOMEM) from error
    except OSError as error:
        raise Unusable(f"{what} {key:#x}: {error.strerror or error}", code=error.errno or errno.ENOSPC) from error


def gone(what: str, key: int, error: Exception, *, may_be_delivered: bool = False) -> ChannelError:
    """The error for an object that was open and no longer answers."""
    if isinstance(error, sysv_ipc.PermissionsError):
        return AccessRefused(f"{what} {key:#x}: {error}", code=errno.EACCES)
    return PeerGone(f"{what} {key:#x} was removed: {error}", code=errno.EIDRM, may_be_delivered=may_be_delivered)


def named(
    what: str, error: OSError, *, absent: tuple[int, ...] = (errno.ENOENT,)
) -> AccessRefused | PeerAbsent | Unusable:
    """The word for it; `absent` are the errnos that say that nobody has made it yet, or nobody has it open."""
    code = error.errno or errno.EIO
    message = f"{what}: {error.strerror or error}"
    if code in (errno.EACCES, errno.EPERM, errno.EROFS):
        return AccessRefused(message, code=code)
    if code in absent:
        return PeerAbsent(message, code=code)
    return Unusable(message, code=code)


MODE = 0o600
_SHM_DEST = 0o1000


def object_name(address: Address) -> str:
    """The name of the object at `address`: the last part of its path, or its key where it has none."""
    return f"/ipclab-{address.path.name or format(address.key, 'x')}"


@contextmanager
def posix_opening(what: str, name: str) -> Iterator[None]:
    """Name the errors of making or opening the object called `name`."""
    try:
        yield
    except posix_ipc.PermissionsError as error:
        raise AccessRefused(f"{what} {name}: {error}", code=errno.EACCES) from error
    except posix_ipc.ExistentialError as error:
        raise PeerAbsent(f"{what} {name}: {error}", code=errno.ENOENT) from error
    except posix_ipc.Error as error:
        raise PeerAbsent(f"{what} {name}: {error}", code=errno.EAGAIN) from error
    except ValueError as error:
        raise Unusable(f"{what} {name}: {error}", code=errno.EINVAL) from error
    except OSError as error:
        raise named(f"{what} {name}", error) from error


def map_whole(what: str, descriptor: int, size: int) -> mmap.mmap:
    """Map `size` bytes of a file after making sure that the file system has room for every one of them.

    ftruncate(2) promises nothing: the first store to a page for which there is no room would end the
    process with SIGBUS (mmap(2)).

    :raises Unusable: there is not enough room, or the filesystem cannot be mapped shared
    """
    take_room(what, descriptor, size)
    return map_shared(what, descriptor, size)


def map_shared(what: str, descriptor: int, size: int) -> mmap.mmap:
    """mmap(2) with MAP_SHARED, which a filesystem need not have: ENODEV (9p, some of FUSE).

    :raises AccessRefused: the descriptor may not be mapped for writing
    :raises Unusable: the kernel says anything else
    """
    try:
        return mmap.mmap(descriptor, size)
    except OSError as error:
        raise named(f"{what} cannot be mapped shared", error) from error


def take_room(what: str, descriptor: int, size: int) -> None:
    """Take the room for `size` bytes of a file: posix_fallocate(3).

    :raises Unusable: there is not enough
    """
    try:
        os.posix_fallocate(descriptor, 0, size)
    except OSError as error:
        limits = os.fstatvfs(descriptor)
        free, total = limits.f_bavail * limits.f_frsize, limits.f_blocks * limits.f_frsize
        message = f"{what} of {size} bytes does not fit: {free} bytes are free of {total}"
        raise Unusable(
            message if error.errno == errno.ENOSPC else f"{what}: {error.strerror}", code=error.errno or errno.EIO
        ) from error


def is_removed(segment: sysv_ipc.SharedMemory) -> bool:
    """Whether an attached segment lives on without its key, until the last one detaches: SHM_DEST, shmctl(2)."""
    return bool(segment.mode & _SHM_DEST)
