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
        self.left = stream
        self._takes, self._gives_up = cycle(takes), cycle(gives_up)
        self.direct = 0  # reads of several places: a part goes into the caller's buffer

    def __call__(self, places: list[memoryview], timeout_s: float = 0, deadline: float = 0) -> int:
        del timeout_s, deadline
        assert sum(map(len, places)), "nowhere to read to"
        count = min(next(self._takes), sum(map(len, places)), len(self.left))
        if next(self._gives_up) or not count:
            raise BlockingIOError
        self.direct += len(places) > 1
        given, self.left = self.left[:count], self.left[count:]
        for place in places:
            part, given = given[: len(place)], given[len(place) :]
            place[: len(part)] = part
        return count

    def into(self, place: memoryview, timeout_s: float, deadline: float) -> int:
        return self([place], timeout_s, deadline)


def received(reader: ScatterReader, script: ByteScript, *, once: bool = False) -> Iterator[bytes | type[ChannelError]]:
    """What `receive_into` makes of it; between two calls the buffer is the caller's, who overwrites it."""
    buffer = memoryview(bytearray(1 << 16))
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
        buffer[:] = bytes(len(buffer))
