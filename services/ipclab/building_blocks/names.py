"""Names in the filesystem that can be removed while the object is open: see
`ipclab.contract.optional_parts.FoundByName`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from ipclab.contract.errors import REMOVED, PeerGone, ReceiveTimeout

# A receiver whose channel lost its name goes on reading for so long after the last message: until then its senders have
# noticed, too, and nothing they still send is lost.
_SENDERS_NOTICE_WITHIN_S = 2.0


@dataclass(frozen=True, slots=True)
class Name:
    """A path, and the file that had it: device and inode, stat(2)."""

    path: Path
    device: int
    inode: int

    @classmethod
    def of(cls, path: Path) -> Self:
        """
        :raises OSError: there is no such name
        """
        status = path.lstat()
        return cls(path, status.st_dev, status.st_ino)

    @classmethod
    def opened(cls, path: Path, descriptor: int) -> Self:
        """Of the file that is open, whatever has the name by now."""
        status = os.fstat(descriptor)
        return cls(path, status.st_dev, status.st_ino)

    def is_linked(self) -> bool:
        """Does the name still lead to the file?"""
        try:
            return self.of(self.path) == self
        except OSError:
            return False

    def gone(self, what: str) -> PeerGone:
        """The error where it does not: with what lstat(2) says, if the name does not lead to another file."""
        code: int | str = REMOVED
        try:
            self.path.lstat()
        except OSError as error:
            code = error.errno or REMOVED
        return PeerGone(f"{what}: its name was removed", code=code)


class LosingName:
    """The meaning of a receiver's timeout: no message came, or none can come because the name was removed."""

    def __init__(self, is_linked: Callable[[], bool], gone: Callable[[], PeerGone]) -> None:
        self._is_linked = is_linked
        self._gone = gone
        self._lost_at: float | None = None

    def timed_out(self, error: ReceiveTimeout, *, senders_left: bool = True) -> ReceiveTimeout | PeerGone:
        """The error to raise; without senders there is nothing to wait for."""
        if self._is_linked():
            self._lost_at = None
            return error
        now = time.monotonic()
        if self._lost_at is None:
            self._lost_at = now
        return self._gone() if not senders_left or now - self._lost_at >= _SENDERS_NOTICE_WITHIN_S else error
