"""What an `OSError` of opening something with a name in the filesystem means: files, FIFOs, POSIX objects."""

from __future__ import annotations

import errno

from ipclab.contract.errors import AccessRefused, PeerAbsent, Unusable


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
