"""What the pipes share, whether they have a name or not: the writing end. The reading end is any byte stream's."""

from __future__ import annotations

import os
from functools import partial

from ipclab.channel import ClosingEndpoint
from ipclab.mechanisms._stream import StreamWriter


class PipeSender(ClosingEndpoint):
    """The writing end of a pipe, non-blocking. Without a reader it is EPIPE (Python ignores SIGPIPE)."""

    def __init__(self, what: str, descriptor: int) -> None:
        self._descriptor = descriptor
        self.send = StreamWriter(what, descriptor, partial(os.write, descriptor)).send

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1
