"""A byte stream that comes in pieces as a script says, in the place of a descriptor."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from itertools import cycle

from ipclab.building_blocks.scatter import ScatterReader
from ipclab.contract.errors import ChannelError


class ByteScript:
    """Gives as many bytes a read as `takes` says, and in between none in time, where `gives_up` says so."""

    def __init__(self, stream: bytes, takes: Sequence[int], gives_up: Sequence[bool] = (False,)) -> None:
        self._stream, self._at = stream, 0
        self._takes, self._gives_up = cycle(takes), cycle(gives_up)
        self.direct = 0  # reads of several places: a part goes into the caller's buffer

    @property
    def left(self) -> int:
        """Bytes that nobody has read yet."""
        return len(self._stream) - self._at

    def __call__(self, places: list[memoryview], timeout_s: float = 0, deadline: float = 0) -> int:
        del timeout_s, deadline
        assert sum(map(len, places)), "nowhere to read to"
        count = min(next(self._takes), sum(map(len, places)), self.left)
        if next(self._gives_up) or not count:
            raise BlockingIOError
        self.direct += len(places) > 1
        given = self._stream[self._at : self._at + count]
        self._at += count
        for place in places:
            part, given = given[: len(place)], given[len(place) :]
            place[: len(part)] = part
        return count

    def into(self, place: memoryview, timeout_s: float, deadline: float) -> int:
        return self([place], timeout_s, deadline)


def received(reader: ScatterReader, script: ByteScript, *, once: bool = False) -> Iterator[bytes | type[ChannelError]]:
    """What `receive_into` makes of it; between two calls the buffer is the caller's, who overwrites it."""
    buffer = memoryview(bytearray(1 << 16))
    overwritten = 0  # after so many direct reads
    while True:
        try:
            length = reader.receive_into(buffer, script, 60, time.monotonic() + 60, once=once)
        except ChannelError as error:
            yield type(error)
            continue
        except BlockingIOError:
            if not script.left:
                return
            length = None
        if length is not None:
            yield bytes(buffer[:length])
        if length is not None or script.direct > overwritten:  # else nothing can be in it; this is a copy of 64 KiB
            buffer[:] = bytes(len(buffer))
            overwritten = script.direct
