"""What the System V mechanisms share: what `sysv_ipc` means when it raises.

`sysv_ipc` raises `ExistentialError` for both ENOENT and EEXIST and sets no errno; EIDRM arrives as one
too, and a queue that is gone as `OSError(EINVAL)`. So the meaning comes from what was tried.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator
from contextlib import contextmanager

from ipclab.contract.errors import AccessRefused, ChannelError, PeerAbsent, PeerGone, Unusable
from ipclab.libraries import sysv_ipc

# svipc(7): 0666 would let every user in; both sides of a pair run as the same one.
MODE = 0o600


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
