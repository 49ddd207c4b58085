"""Replies on a System V queue: it has no ends, but it has types. Each asker waits for a type of its own.

Source: msgop(2), msgtyp. A question is a message of type 2 that begins with the type on which its asker waits; a
reply is a message of that type. So both share the room of one queue, and a full one can keep the answerer from
answering: it waits for its timeout and no longer.

Nobody fetches the reply to an asker that died, and the queue outlives them all. So the answerer throws replies away
that were not fetched, when it finds the queue full or without a question for a whole timeout.
"""

from __future__ import annotations

import errno
import os
import struct

from ipclab.building_blocks.libraries import sysv_ipc
from ipclab.contract.channel import ClosingEndpoint
from ipclab.contract.errors import ChannelFull, MessageTooLarge, PeerGone, ReceiveTimeout
from ipclab.mechanisms._sysv_mq import copied, discard, put, remove, take

_QUESTION_TYPE = 2
_FIRST_REPLY_TYPE = 1 << 30
_RETURN = struct.Struct("=I")


class SysvMqAsker(ClosingEndpoint):
    """Puts its own type before each message. Two cannot have the same by counting: they may know nothing of each
    other, not even the process ids in another container; so it is drawn at random from 2**30.
    """

    def __init__(self, queue: sysv_ipc.MessageQueue, max_message_bytes: int) -> None:
        self._queue = queue
        self._type = _FIRST_REPLY_TYPE | int.from_bytes(os.urandom(4), "little") >> 2
        self._question = memoryview(bytearray(max_message_bytes))
        self._max = max_message_bytes - _RETURN.size
        _RETURN.pack_into(self._question, 0, self._type)

    def send(self, payload: memoryview, timeout_s: float) -> None:
        length = len(payload)
        if length > self._max:
            raise MessageTooLarge(f"{length} bytes; at most {self._max} in a question", code=errno.EMSGSIZE)
        end = _RETURN.size + length
        self._question[_RETURN.size : end] = payload
        put(self._queue, self._question[:end], _QUESTION_TYPE, timeout_s)

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        payload, _ = take(self._queue, self._type, timeout_s)
        return copied(payload, buffer)

    def close(self) -> None:
        """What was answered too late must not stay in the queue."""
        discard(self._queue, self._type)


class SysvMqAnswerer(ClosingEndpoint):
    """Takes plain messages and questions, and answers the questions."""

    def __init__(self, queue: sysv_ipc.MessageQueue, max_message_bytes: int) -> None:
        self._queue = queue
        self._max = max_message_bytes
        self._asker = 0
        self._answered: set[int] = set()

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        try:
            payload, type_ = take(self._queue, -_QUESTION_TYPE, timeout_s)
        except ReceiveTimeout:
            self._discard_unfetched()
            raise
        self._asker = 0
        if type_ != _QUESTION_TYPE:
            return copied(payload, buffer)
        (self._asker,) = _RETURN.unpack_from(payload)
        return copied(payload[_RETURN.size :], buffer)

    def reply(self, payload: memoryview, timeout_s: float) -> None:
        if len(payload) > self._max:
            raise MessageTooLarge(f"{len(payload)} bytes; at most {self._max}", code=errno.EMSGSIZE)
        if not self._asker:
            raise PeerGone("the message was no question: it has no type to answer to", code=errno.EDESTADDRREQ)
        try:
            put(self._queue, payload, self._asker, timeout_s)
        except ChannelFull:
            self._discard_unfetched()
            raise
        self._answered.add(self._asker)

    def close(self) -> None:
        """Nothing to let go of; what nobody fetched goes."""
        self._discard_unfetched()

    def remove(self) -> None:
        remove(self._queue)

    def _discard_unfetched(self) -> None:
        while self._answered:
            discard(self._queue, self._answered.pop())
