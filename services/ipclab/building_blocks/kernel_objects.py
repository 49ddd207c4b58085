"""Kernel objects with a POSIX name or a System V key: names, memory that is really there, and the meaning of errors.

`posix_ipc` and `sysv_ipc` raise `ExistentialError` for both ENOENT and EEXIST and set no errno. `posix_ipc` raises
`ValueError` for EINVAL and ENAMETOOLONG. `sysv_ipc` raises `ExistentialError` for EIDRM too, and `OSError(EINVAL)` for
a removed queue. So the meaning follows from the call that failed. `open_error` names the `OSError` of opening a file, a
FIFO or a POSIX object.
"""

from __future__ import annotations

import errno
import mmap
import os
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from ipclab.building_blocks.libraries import posix_ipc, sysv_ipc
from ipclab.contract.channel import Address
from ipclab.contract.errors import AccessRefused, ChannelError, PeerAbsent, PeerGone, Unusable


def require_semaphore_timeouts() -> None:
    """The published wheels of sysv_ipc lack semtimedop(2) and would hang for ever.

    :raises Unusable: this build of sysv_ipc has no semaphore timeouts
    """
    if not sysv_ipc.SEMAPHORE_TIMEOUT_SUPPORTED:
        raise Unusable("sysv_ipc was built without semtimedop; install it with --no-binary", code=errno.ENOSYS)


# What sysv_ipc raises for an object that was open and no longer answers.
SYSV_OBJECT_ERRORS = (sysv_ipc.ExistentialError, sysv_ipc.PermissionsError, OSError)


@contextmanager
def _opening(library: Any, target: str, system_error: Callable[[OSError], ChannelError]) -> Iterator[None]:
    """Name the errors of `library`, posix_ipc or sysv_ipc, while it makes or opens `target`."""
    try:
        yield
    except library.PermissionsError as error:
        raise AccessRefused(f"{target}: {error}", code=errno.EACCES) from error
    except library.ExistentialError as error:
        raise PeerAbsent(f"{target}: {error}", code=errno.ENOENT) from error
    except library.Error as error:
        raise PeerAbsent(f"{target}: {error}", code=errno.EAGAIN) from error
    except ValueError as error:
        raise Unusable(f"{target}: {error}", code=errno.EINVAL) from error
    except MemoryError as error:
        raise Unusable(f"{target}: {error}", code=errno.ENOMEM) from error
    except OSError as error:
        raise system_error(error) from error


def sysv_opening(what: str, key: int) -> AbstractContextManager[None]:
    """Name the errors of making or opening the object with `key`."""
    target = f"{what} {key:#x}"

    def no_space(error: OSError) -> ChannelError:
        return Unusable(f"{target}: {error.strerror or error}", code=error.errno or errno.ENOSPC)

    return _opening(sysv_ipc, target, no_space)


def removed_error(what: str, key: int, error: Exception, *, may_be_delivered: bool = False) -> ChannelError:
    """The error of a System V object that was open and is removed now."""
    if isinstance(error, sysv_ipc.PermissionsError):
        return AccessRefused(f"{what} {key:#x}: {error}", code=errno.EACCES)
    return PeerGone(f"{what} {key:#x} was removed: {error}", code=errno.EIDRM, may_be_delivered=may_be_delivered)


def open_error(
    what: str, error: OSError, *, absent: tuple[int, ...] = (errno.ENOENT,)
) -> AccessRefused | PeerAbsent | Unusable:
    """The error of opening `what`; `absent` are the errnos of an object that no process has made or opened yet."""
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


def posix_opening(what: str, name: str) -> AbstractContextManager[None]:
    """Name the errors of making or opening the object called `name`."""
    target = f"{what} {name}"
    return _opening(posix_ipc, target, lambda error: open_error(target, _with_errno(error)))


def _with_errno(error: OSError) -> OSError:
    """posix_ipc raises `OSError` without an errno for EMFILE and ENFILE, and has sentences of its own for the two."""
    if error.errno is None:
        code = next((code for words, code in _WITHOUT_ERRNO.items() if words in str(error)), errno.EIO)
        return OSError(code, os.strerror(code) if code != errno.EIO else str(error))
    return error


# mq_open(3): EMFILE is the limit of the process's descriptors; in ipc/mqueue.c it is RLIMIT_MSGQUEUE too.
_WITHOUT_ERRNO = {"maximum number of files open": errno.EMFILE, "system limit on the total number": errno.ENFILE}


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
        raise open_error(f"{what} cannot be mapped shared", error) from error


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
