"""What the mechanisms with POSIX names share: the names, memory that is really there, what errors mean.

`posix_ipc` raises `ExistentialError` for both ENOENT and EEXIST and sets no errno, and `ValueError` for what
the kernel calls EINVAL and ENAMETOOLONG; so the meaning comes from what was tried.
"""

from __future__ import annotations

import errno
import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager

from ipclab.contract.channel import Address
from ipclab.contract.errors import AccessRefused, PeerAbsent, Unusable
from ipclab.libraries import posix_ipc
from ipclab.mechanisms._named import named

MODE = 0o600


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

    :raises Unusable: there is not enough room
    """
    take_room(what, descriptor, size)
    return mmap.mmap(descriptor, size)


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
