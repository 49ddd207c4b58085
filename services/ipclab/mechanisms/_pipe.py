"""What the pipes share, whether they have a name or not: the writing end, and how much a pipe holds."""

from __future__ import annotations

import fcntl
import os
from functools import partial

from ipclab.contract.channel import ClosingEndpoint
from ipclab.mechanisms._stream import StreamWriter
from ipclab.mechanisms._stream_receiver import StreamReceiver
from ipclab.mechanisms._timed import PipeRead, PipeWrite


class PipeSender(ClosingEndpoint):
    """The writing end of a pipe. Without a reader it is EPIPE (Python ignores SIGPIPE)."""

    def __init__(self, what: str, descriptor: int, *, marked: bool = False) -> None:
        self._descriptor = descriptor
        self.send = StreamWriter(what, descriptor, PipeWrite(descriptor), marked=marked).send

    def close(self) -> None:
        if self._descriptor >= 0:
            os.close(self._descriptor)
            self._descriptor = -1


class PipeReceiver(StreamReceiver):
    """The reading ends: any byte stream's, but for a pipe's capacity and its wait (pipe(7))."""

    def _capacity_of(self, descriptor: int) -> int:
        return fcntl.fcntl(descriptor, fcntl.F_GETPIPE_SZ)

    def _add_pipe(self, descriptor: int) -> None:
        """Read this one too, and close it when its stream ends."""
        self._add(descriptor, PipeRead(descriptor), partial(os.close, descriptor))
