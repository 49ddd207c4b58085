"""The two ends of a POSIX queue. Sources: mq_send(3), mq_receive(3), mq_overview(7).

An unlinked queue goes on working for those who have it open, unlike a System V queue; so an end asks whether its queue
still has a name when nothing has happened for too long.
"""

from __future__ import annotations

import errno
import os
from collections import Counter
from contextlib import suppress
from itertools import cycle

from ipclab.building_blocks.libraries import posix_ipc
from ipclab.contract.channel import ClosingEndpoint
from ipclab.contract.errors import ChannelError, ChannelFull, MessageTooLarge, PeerGone, ReceiveTimeout

MAX_MESSAGE_BYTES = 8192  # msgsize_max
LOWEST_PRIORITY = 0
WHAT = "message queue"
_BROKEN = (posix_ipc.Error, OSError)


class _Endpoint(ClosingEndpoint):
    def __init__(self, queue: posix_ipc.MessageQueue) -> None:
        self._queue = queue
        self._open = True

    def close(self) -> None:
        if self._open:
            self._open = False
            self._queue.close()

    def _timed_out(self, error: ChannelError) -> ChannelError:
        """`error`, unless nothing can happen here any more, because the queue has lost its name."""
        if os.fstat(self._queue.mqd).st_nlink:
            return error
        return self._gone("it was removed", errno.EIDRM)

    def _gone(self, why: object, code: int) -> PeerGone:
        return PeerGone(f"{WHAT} {self._queue.name}: {why}", code=code)


class PosixMqSender(_Endpoint):
    """mq_timedsend(3), of one priority after the other."""

    def __init__(self, queue: posix_ipc.MessageQueue, priorities: int) -> None:
        super().__init__(queue)
        self._priorities = cycle(range(LOWEST_PRIORITY, LOWEST_PRIORITY + priorities))
        self._priority = next(self._priorities)
        queue.block = False  # of this descriptor alone: mq_getattr(3)

    def send(self, payload: memoryview, timeout_s: float) -> None:
        try:
            try:  # there nearly always is room, and a call without a time limit costs half as much
                self._queue.send(payload, None, self._priority)
            except posix_ipc.BusyError:
                self._send_when_taken(payload, timeout_s)
            self._priority = next(self._priorities)  # one that was not sent keeps its priority
        except ValueError as error:
            raise MessageTooLarge(f"{len(payload)} bytes; at most {MAX_MESSAGE_BYTES}", code=errno.EMSGSIZE) from error
        except (posix_ipc.BusyError, posix_ipc.SignalError) as error:
            raise self._timed_out(ChannelFull(f"{WHAT} {self._queue.name} is full", code=errno.EAGAIN)) from error
        except OSError as error:
            raise self._gone(error.strerror, error.errno or errno.EIO) from error

    def _send_when_taken(self, payload: memoryview, timeout_s: float) -> None:
        self._queue.block = True
        try:
            self._queue.send(payload, timeout_s, self._priority)
        finally:
            self._queue.block = False


class PosixMqReceiver(_Endpoint):
    """mq_timedreceive(3); owns the queue."""

    def __init__(self, queue: posix_ipc.MessageQueue, counts: Counter[int] | None) -> None:
        super().__init__(queue)
        self._counts = counts

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        try:
            payload, priority = self._queue.receive(timeout_s)
        except (posix_ipc.BusyError, posix_ipc.SignalError) as error:
            empty = ReceiveTimeout(f"{WHAT} {self._queue.name} is empty", code=errno.ETIMEDOUT)
            raise self._timed_out(empty) from error
        except OSError as error:
            raise self._gone(error.strerror, error.errno or errno.EIO) from error
        if self._counts is not None:
            self._counts[priority] += 1
        length = len(payload)
        if length > len(buffer):
            raise MessageTooLarge(f"a message of {length} bytes for a buffer of {len(buffer)}", code=errno.EMSGSIZE)
        buffer[:length] = payload
        return length

    def remove(self) -> None:
        self.close()
        with suppress(*_BROKEN):
            posix_ipc.unlink_message_queue(self._queue.name)
