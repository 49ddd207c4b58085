"""A lock on an open file that never waits: flock(2).

The kernel frees the lock when the last descriptor of the open file is closed, also when its owner is killed.
"""

from __future__ import annotations

import fcntl


def try_lock(descriptor: int, *, shared: bool = False) -> bool:
    """Take the lock if it is free; `shared` is a lock that others with `shared` hold too. Never waits.

    :raises OSError: the file cannot be locked
    """
    try:
        fcntl.flock(descriptor, (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def unlock(descriptor: int) -> None:
    """Free the lock.

    :raises OSError: the descriptor is closed
    """
    fcntl.flock(descriptor, fcntl.LOCK_UN)
