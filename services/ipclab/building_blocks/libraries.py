"""`posix_ipc` and `sysv_ipc`: needed to run a mechanism, and not to read its facts.

A host that only reads facts may have neither (macOS lacks sem_timedwait(3), which `posix_ipc` needs). Every mechanism
is imported there all the same: the exceptions of an absent library are classes that no call raises, and its functions
raise `Unusable`.
"""

from __future__ import annotations

import errno

from ipclab.contract.errors import Unusable


class AbsentLibrary:
    """A placeholder for a library that cannot be imported."""

    def __init__(self, name: str, reason: ImportError) -> None:
        self._name = name
        self._reason = reason
        self._errors: dict[str, type[Exception]] = {}

    def __getattr__(self, name: str) -> type[Exception]:
        """An exception class of the library, the same one each time.

        :raises Unusable: `name` is no exception
        """
        if not name.endswith("Error"):
            raise Unusable(f"{self._name}.{name}: {self._reason}", code=errno.ENOSYS)
        return self._errors.setdefault(name, type(name, (Exception,), {}))


try:
    import posix_ipc
except ImportError as reason:
    posix_ipc = AbsentLibrary("posix_ipc", reason)
try:
    import sysv_ipc
except ImportError as reason:
    sysv_ipc = AbsentLibrary("sysv_ipc", reason)

__all__ = ["AbsentLibrary", "posix_ipc", "sysv_ipc"]
