from __future__ import annotations

import random
import signal
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import sysv_ipc

from ipclab.alarm import interrupted_after


@pytest.fixture
def queue() -> Iterator[sysv_ipc.MessageQueue]:
    """A queue of our own in the kernel, empty."""
    key = random.SystemRandom().randrange(1, 2**31)
    queue = sysv_ipc.MessageQueue(key, sysv_ipc.IPC_CREX, mode=0o600)
    yield queue
    queue.remove()


@pytest.mark.parametrize("timeout_s", [0.05, 0.2])
def test_a_blocking_receive_ends_when_its_time_is_up(queue: sysv_ipc.MessageQueue, timeout_s: float) -> None:
    began = time.monotonic()
    with pytest.raises(sysv_ipc.Error, match="Signaled while waiting"), interrupted_after(timeout_s):
        queue.receive()
    assert timeout_s <= time.monotonic() - began < timeout_s + 2


def test_a_blocking_send_ends_when_its_time_is_up(queue: sysv_ipc.MessageQueue) -> None:
    with suppress(sysv_ipc.BusyError):  # there is no room
        while True:
            queue.send(b"x" * 1000, False)
    with pytest.raises(sysv_ipc.Error, match="Signaled while waiting"), interrupted_after(0.05):
        queue.send(b"x" * 1000)


@pytest.mark.parametrize("timeout_s", [0, -1, 1e-9])
def test_no_time_at_all_still_ends(queue: sysv_ipc.MessageQueue, timeout_s: float) -> None:
    with pytest.raises(sysv_ipc.Error, match="Signaled while waiting"), interrupted_after(timeout_s):
        queue.receive()


def test_a_signal_that_came_before_the_call_is_not_the_last(queue: sysv_ipc.MessageQueue) -> None:
    def receive_late() -> None:
        while signal.getitimer(signal.ITIMER_REAL)[0] < 0.0101:  # until the first alarm has rung for nothing
            pass
        queue.receive()

    with pytest.raises(sysv_ipc.Error, match="Signaled while waiting"), interrupted_after(0.01):
        receive_late()


def test_a_message_in_time_is_received_and_the_alarm_is_off(queue: sysv_ipc.MessageQueue) -> None:
    queue.send(b"here")
    with interrupted_after(5):
        assert queue.receive() == (b"here", 1)
        assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_the_alarm_is_off_after_an_error() -> None:
    with pytest.raises(KeyError), interrupted_after(5):
        raise KeyError
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)
