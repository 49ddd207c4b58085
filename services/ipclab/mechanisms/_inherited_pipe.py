"""The anonymous pipe's classic form: parent and child, within one container.

Sources: pipe(2), pipe(7), fork(2). The child has all that its parent had open, so both have both ends of a pipe
that was made before the fork. Each must close the end that is the other's: a reader that keeps the writing end
never sees the end of the stream. A pipe is half duplex, so replies need a second one: see `Conversation`.
"""

from __future__ import annotations

import os

from ipclab.mechanisms._pipe import PipeReceiver, PipeSender

_WHAT = "anonymous pipe between parent and child"


class InheritedPipeReceiver(PipeReceiver):
    """The reading end. Nobody can come in later: after the last writer there is nothing to wait for."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(_WHAT)
        self._add_pipe(descriptor)

    def remove(self) -> None:
        """The kernel object goes with its last descriptor."""
        self.close()


class InheritedPipe:
    """A pipe made before fork(2). After it, one process becomes the receiver and the other the sender."""

    def __init__(self) -> None:
        self._reading, self._writing = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)

    def receiver(self) -> InheritedPipeReceiver:
        """This process reads, and closes the writing end."""
        os.close(self._writing)
        return InheritedPipeReceiver(self._reading)

    def sender(self) -> PipeSender:
        """This process writes, and closes the reading end."""
        os.close(self._reading)
        return PipeSender(_WHAT, self._writing)


class Conversation:
    """Two pipes: one to the child, one for its replies."""

    def __init__(self) -> None:
        self._to_child, self._to_parent = InheritedPipe(), InheritedPipe()

    def parent(self) -> tuple[InheritedPipeReceiver, PipeSender]:
        """The ends of the process that asks."""
        return self._to_parent.receiver(), self._to_child.sender()

    def child(self) -> tuple[InheritedPipeReceiver, PipeSender]:
        """The ends of the process that answers."""
        return self._to_child.receiver(), self._to_parent.sender()
