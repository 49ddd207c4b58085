"""One half of a run as the loops see it: what sends and what receives, with copies or in the channel's own memory."""

from __future__ import annotations

import zlib
from collections.abc import Callable
from typing import Protocol

from ipclab.bench.messages import HEADER, HEADER_BYTES, Tally, pattern_of, payloads_of, place_of
from ipclab.bench.request import Request


class Sends(Protocol):
    """An end that sends: what a loop needs of `ipclab.contract.channel.Sender`."""

    def send(self, payload: memoryview, timeout_s: float, /) -> None:
        """Send one message, or raise a `ChannelError`."""


class Receives(Protocol):
    """An end that receives: what a loop needs of `ipclab.contract.channel.Receiver`."""

    def receive_into(self, buffer: memoryview, timeout_s: float, /) -> int:
        """Receive one message, or raise a `ChannelError`."""


class Putter:
    """Sends messages of `size` bytes; each is written as the request asks, and carries its number."""

    def __init__(self, sender: Sends, request: Request, size: int) -> None:
        self.touched = request.touched and size > HEADER_BYTES
        self.by_place = payloads_of(pattern_of(size), size)
        self.timeout_s = request.silence_s
        self.size = size
        if request.copies:
            self.send = sender.send
            self.buffer = memoryview(bytearray(size))
            self.payload = self.buffer[HEADER_BYTES:]
            self.payload[:] = self.by_place[0]
            self.put = self._put_copy
        else:
            self.loan: Callable[[int, float], memoryview] = sender.loan  # type: ignore[attr-defined]
            self.commit: Callable[[], None] = sender.commit  # type: ignore[attr-defined]
            self.put = self._put_in_place

    def _put_copy(self, sequence: int, due_ns: int) -> None:
        HEADER.pack_into(self.buffer, 0, sequence, due_ns)
        if self.touched:
            self.payload[:] = self.by_place[sequence & 7]
        self.send(self.buffer, self.timeout_s)

    def _put_in_place(self, sequence: int, due_ns: int) -> None:
        view = self.loan(self.size, self.timeout_s)
        HEADER.pack_into(view, 0, sequence, due_ns)
        if self.touched:
            view[HEADER_BYTES:] = self.by_place[sequence & 7]
        self.commit()


class Taker:
    """Receives messages of up to `size` bytes, and checks the number and, where touched, every byte of each."""

    def __init__(self, receiver: Receives, request: Request, size: int, tally: Tally) -> None:
        self.touched = request.touched
        self.pattern = pattern_of(size)
        self.timeout_s = request.silence_s
        self.tally = tally
        self.actual_size = 0
        if request.copies:
            self.receive_into = receiver.receive_into
            self.buffer = memoryview(bytearray(size))
            self.take = self._take_copy
        else:
            self.borrow: Callable[[float], memoryview] = receiver.borrow  # type: ignore[attr-defined]
            self.release: Callable[[], None] = receiver.release  # type: ignore[attr-defined]
            self.take = self._take_in_place

    def _take_copy(self) -> tuple[int, int]:
        """The number and the due time of the next message.

        :raises ReceiveTimeout: none came within the run's `silence_s`
        """
        length = self.actual_size = self.receive_into(self.buffer, self.timeout_s)
        sequence, due_ns = HEADER.unpack_from(self.buffer)
        if self.touched:
            self.check(self.buffer[HEADER_BYTES:length], sequence)
        return sequence, due_ns

    def _take_in_place(self) -> tuple[int, int]:
        view = self.borrow(self.timeout_s)
        self.actual_size = len(view)
        sequence, due_ns = HEADER.unpack_from(view)
        if self.touched:
            self.check(view[HEADER_BYTES:], sequence)
        self.release()
        return sequence, due_ns

    def take_last(self, now_ns: Callable[[], int]) -> tuple[int, int, int, int]:
        """`take`, the time of it, and the CRC-32 of the payload, which is reckoned after that time."""
        if hasattr(self, "borrow"):
            view = self.borrow(self.timeout_s)
            self.actual_size = len(view)
            sequence, due_ns = HEADER.unpack_from(view)
            if self.touched:
                self.check(view[HEADER_BYTES:], sequence)
            end_ns = now_ns()
            crc = zlib.crc32(view[HEADER_BYTES:]) if self.touched else 0
            self.release()
            return sequence, due_ns, end_ns, crc
        sequence, due_ns = self._take_copy()
        end_ns = now_ns()
        return sequence, due_ns, end_ns, zlib.crc32(self.buffer[HEADER_BYTES : self.actual_size])

    def check(self, payload: memoryview, sequence: int) -> None:
        """Compare every byte with the pattern."""
        if not self.pattern.startswith(payload, place_of(sequence)):
            self.tally.corrupt += 1
