"""System V shared memory: one segment that both processes map, a ring in it, two semaphores to wait on.

Sources: shmget(2), shmop(2), semop(2), sysvipc(7). No copy passes through the kernel; what the kernel
gives is the waiting. The semaphores are bells, not books: what is in the ring is what its words say, so
a process killed between writing and ringing costs a wake-up and no message. The sender rings once per
record; the receiver looks at the ring first and takes all rings at once when the ring is empty.
"""

from __future__ import annotations

import errno
import time
from contextlib import suppress

import sysv_ipc

from ipclab.channel import (
    Address,
    ClosingEndpoint,
    Direction,
    Kind,
    OnFull,
    Persistence,
    Sharing,
    Traits,
)
from ipclab.errors import ChannelFull, PeerAbsent, ReceiveTimeout
from ipclab.mechanisms._sysv import MODE, gone, opening, require_semaphore_timeouts
from ipclab.ring import Ring, bytes_needed

MAX_MESSAGE_BYTES = 1 << 20
SEGMENT_BYTES = bytes_needed(MAX_MESSAGE_BYTES)
_WHAT = "shared memory segment"
_GONE = (sysv_ipc.ExistentialError, sysv_ipc.PermissionsError, OSError)
# "Set the flag, then sleep" needs a fence that Python cannot issue, so a full ring is looked at again
# after this long even if nobody rang.
_LOOK_AGAIN_S = 0.005


def _neighbour(key: int) -> int:
    """The second semaphore's key: the next one, and the one before at the end of the range."""
    return key + 1 if key < 2**31 - 1 else key - 1


def _ring_bell(bell: sysv_ipc.Semaphore) -> None:
    # A bell that is at SEMVMX already (ValueError) cannot be missed.
    with suppress(ValueError):
        bell.release()


class _Endpoint(ClosingEndpoint):
    def __init__(
        self, segment: sysv_ipc.SharedMemory, record_bell: sysv_ipc.Semaphore, room_bell: sysv_ipc.Semaphore
    ) -> None:
        self._segment = segment
        self._record_bell = record_bell
        self._room_bell = room_bell
        self._ring = Ring(memoryview(segment))
        self._open = True

    def close(self) -> None:
        if self._open:
            self._open = False
            self._ring.close()  # no view may be left when the memory goes
            self._segment.detach()

    def _wait(self, bell: sysv_ipc.Semaphore, timeout_s: float) -> bool:
        """Wait for a ring of `bell`, take all rings there are; False after `timeout_s`."""
        try:
            bell.acquire(timeout_s)
            rings = bell.value
            if rings:
                bell.acquire(0, rings)
        except sysv_ipc.BusyError:
            return False
        except _GONE as error:
            raise gone(_WHAT, self._segment.key, error) from error
        except sysv_ipc.Error:  # "Signaled while waiting": look again
            return True
        return True


class SysvShmSender(_Endpoint):
    """Writes records and rings."""

    def send(self, payload: memoryview, timeout_s: float) -> None:
        if not self._ring.try_write(payload):
            self._write_when_read(payload, timeout_s)
        try:
            _ring_bell(self._record_bell)
        except _GONE as error:
            raise gone(_WHAT, self._segment.key, error, may_be_delivered=True) from error

    def _write_when_read(self, payload: memoryview, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        while True:
            self._ring.sender_waits = True
            if self._ring.try_write(payload):
                break
            left = deadline - time.monotonic()
            if left <= 0:
                raise ChannelFull(f"the ring of {SEGMENT_BYTES} bytes is full", code=errno.EAGAIN)
            self._wait(self._room_bell, min(left, _LOOK_AGAIN_S))
        self._ring.sender_waits = False


class SysvShmReceiver(_Endpoint):
    """Reads records; owns the segment and the semaphores."""

    def receive_into(self, buffer: memoryview, timeout_s: float) -> int:
        length = self._ring.try_read_into(buffer)
        if length is None:
            length = self._read_when_written(buffer, timeout_s)
        if self._ring.sender_waits:
            self._ring.sender_waits = False
            _ring_bell(self._room_bell)
        return length

    def _read_when_written(self, buffer: memoryview, timeout_s: float) -> int:
        deadline = time.monotonic() + timeout_s
        while True:
            left = deadline - time.monotonic()
            rang = left > 0 and self._wait(self._record_bell, left)
            length = self._ring.try_read_into(buffer)
            if length is not None:
                return length
            if not rang:
                raise ReceiveTimeout("the ring is empty", code=errno.EAGAIN)

    def remove(self) -> None:
        if self._open:
            self._ring.mark_closed()
            self.close()
        for thing in (self._segment, self._record_bell, self._room_bell):
            with suppress(*_GONE):
                thing.remove()


class SysvShm:
    """See the module."""

    traits = Traits(
        kind=Kind.SHARED_MEMORY,
        ordered=True,
        reliable=True,
        max_message_bytes=MAX_MESSAGE_BYTES,
        on_full=OnFull.BLOCK,
        persistence=Persistence.KERNEL,
        direction=Direction.ONE_WAY,
        requires=frozenset({Sharing.IPC_NAMESPACE}),
        copies=2,  # into the segment, out of it
        send_errnos=("EAGAIN", "EBADMSG", "EIDRM", "ENOENT"),
        man_page="sysvipc(7)",
    )

    def create_receiver(self, address: Address) -> SysvShmReceiver:
        require_semaphore_timeouts()
        key = address.key
        self._discard_if_damaged(key)
        with opening(_WHAT, key):
            segment = sysv_ipc.SharedMemory(key, sysv_ipc.IPC_CREAT, mode=MODE, size=SEGMENT_BYTES)
        with opening("semaphore", key):
            bells = [sysv_ipc.Semaphore(k, sysv_ipc.IPC_CREAT, mode=MODE) for k in (key, _neighbour(key))]
        receiver = SysvShmReceiver(segment, *bells)
        if not receiver._ring.is_sound():
            receiver._ring.format()
        return receiver

    def open_sender(self, address: Address) -> SysvShmSender:
        require_semaphore_timeouts()
        key = address.key
        with opening(_WHAT, key):
            segment = sysv_ipc.SharedMemory(key)
        if segment.size < SEGMENT_BYTES:
            segment.detach()
            raise PeerAbsent(f"{_WHAT} {key:#x} is not a ring", code=errno.ENOENT)
        try:
            with opening("semaphore", key):
                bells = [sysv_ipc.Semaphore(k) for k in (key, _neighbour(key))]
        except BaseException:
            segment.detach()
            raise
        sender = SysvShmSender(segment, *bells)
        if not sender._ring.is_ready():
            sender.close()
            raise PeerAbsent(f"{_WHAT} {key:#x} holds no ring yet", code=errno.ENOENT)
        _ring_bell(bells[0])  # an earlier sender may have died between writing and ringing
        return sender

    @staticmethod
    def _discard_if_damaged(key: int) -> None:
        """Remove a leftover of another size, which shmget(2) would refuse with EINVAL."""
        with suppress(sysv_ipc.ExistentialError, sysv_ipc.PermissionsError):
            leftover = sysv_ipc.SharedMemory(key)
            size = leftover.size
            leftover.detach()
            if size != SEGMENT_BYTES:
                leftover.remove()


MECHANISM = SysvShm()
