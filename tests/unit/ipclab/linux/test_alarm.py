from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
import sysv_ipc

from ipclab.linux.alarm import ALARM


@pytest.fixture
def queue() -> Iterator[sysv_ipc.MessageQueue]:
    """A queue of our own in the kernel, empty."""
    key = random.SystemRandom().randrange(1, 2**31)
    queue = sysv_ipc.MessageQueue(key, sysv_ipc.IPC_CREX, mode=0o600)
    ALARM.forget()  # the test's own time limit has the same timer
    yield queue
    queue.remove()
    ALARM.waiting = False
    wait_until_off()


def limit(timeout_s: float) -> float:
    deadline = time.monotonic() + timeout_s
    ALARM.limit(timeout_s, deadline)
    return deadline


def wait_until_off() -> None:
    """The first alarm that fires while nobody waits switches the timer off."""
    give_up = time.monotonic() + 10
    while signal.getitimer(signal.ITIMER_REAL) != (0, 0):
        assert time.monotonic() < give_up


def seconds_until_interrupted(queue: sysv_ipc.MessageQueue) -> float:
    began = time.monotonic()
    with pytest.raises(sysv_ipc.Error, match="Signaled while waiting"):
        queue.receive()
    return time.monotonic() - began


@pytest.mark.parametrize("timeout_s", [0.05, 0.2])
def test_a_blocking_receive_ends_when_its_time_is_up(queue: sysv_ipc.MessageQueue, timeout_s: float) -> None:
    limit(timeout_s)
    assert timeout_s - 0.01 <= seconds_until_interrupted(queue) < timeout_s + 2


def test_a_blocking_send_ends_when_its_time_is_up(queue: sysv_ipc.MessageQueue) -> None:
    with suppress(sysv_ipc.BusyError):  # there is no room
        while True:
            queue.send(b"x" * 1000, False)
    limit(0.05)
    with pytest.raises(sysv_ipc.Error, match="Signaled while waiting"):
        queue.send(b"x" * 1000)


@pytest.mark.parametrize("timeout_s", [0, -1, 1e-9])
def test_no_time_at_all_still_ends(queue: sysv_ipc.MessageQueue, timeout_s: float) -> None:
    limit(timeout_s)
    seconds_until_interrupted(queue)


def test_a_signal_that_came_before_the_call_is_not_the_last(queue: sysv_ipc.MessageQueue) -> None:
    limit(0.01)
    while signal.getitimer(signal.ITIMER_REAL)[0] < 0.0101:  # until the first alarm has rung for nothing
        pass
    seconds_until_interrupted(queue)


def test_the_timer_that_runs_serves_the_next_call(queue: sysv_ipc.MessageQueue) -> None:
    limit(5)
    set_at = signal.getitimer(signal.ITIMER_REAL)[0]
    ALARM.waiting = False
    limit(5)
    assert signal.getitimer(signal.ITIMER_REAL)[0] <= set_at  # not set anew
    ALARM.waiting = False
    limit(0.05)  # but for one that must end before it fires
    assert seconds_until_interrupted(queue) < 4


def test_a_timer_that_fired_already_is_set_anew(queue: sysv_ipc.MessageQueue) -> None:
    limit(0.01)
    seconds_until_interrupted(queue)
    deadline = limit(0.3)
    assert 0.1 < signal.getitimer(signal.ITIMER_REAL)[0] <= deadline - time.monotonic() + 0.01


def test_it_switches_itself_off_when_nobody_waits(queue: sysv_ipc.MessageQueue) -> None:
    queue.send(b"here")
    limit(0.05)
    assert queue.receive() == (b"here", 1)
    ALARM.waiting = False
    assert signal.getitimer(signal.ITIMER_REAL)[0] > 0
    wait_until_off()
    limit(0.05)
    seconds_until_interrupted(queue)


def test_a_child_sets_a_timer_of_its_own(queue: sysv_ipc.MessageQueue) -> None:
    limit(30)
    pid = os.fork()
    if not pid:
        limit(30)
        os._exit(0 if signal.getitimer(signal.ITIMER_REAL)[0] > 0 else 1)
    assert os.waitpid(pid, 0)[1] == 0
    ALARM.waiting = False
    limit(0.01)
    seconds_until_interrupted(queue)


def test_a_process_that_ends_is_not_killed_by_the_timer_it_left_running() -> None:
    script = """
import atexit, signal, time
atexit.register(lambda: print(signal.getitimer(signal.ITIMER_REAL)))  # first in, last out
from ipclab.linux.alarm import ALARM
ALARM.limit(60, time.monotonic() + 60)
ALARM.waiting = False
print(signal.getitimer(signal.ITIMER_REAL)[0] > 0)
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines() == ["True", "(0.0, 0.0)"]
