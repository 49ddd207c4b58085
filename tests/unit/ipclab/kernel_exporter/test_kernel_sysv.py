"""What /proc/sysvipc says of real objects, made here."""

from __future__ import annotations

import os
import random
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import sysv_ipc

from ipclab.kernel_exporter import sysv
from ipclab.kernel_exporter.sysv import Queue, Segment, SemaphoreSet

MSGMNB = int(Path("/proc/sys/kernel/msgmnb").read_text())


@pytest.fixture
def key() -> int:
    return random.randrange(1 << 20, 1 << 30)


@pytest.fixture
def made() -> Iterator[ExitStack]:
    """Whatever is pushed here is removed, if it still is there."""
    with suppress(sysv_ipc.ExistentialError), ExitStack() as stack:
        yield stack


def test_a_segment_stays_when_nobody_has_it_attached(key: int, made: ExitStack) -> None:
    segment = sysv_ipc.SharedMemory(key, sysv_ipc.IPC_CREX, size=5000)
    made.callback(segment.remove)

    def found() -> list[Segment]:
        return [segment for segment in sysv.segments() if segment.key == key]

    assert found() == [Segment(key, segment.id, os.getuid(), 5000, attachments=1)]
    segment.detach()
    assert found() == [Segment(key, segment.id, os.getuid(), 5000, attachments=0)]
    segment.remove()
    made.pop_all()
    assert found() == []


def test_a_queue_has_a_depth_and_a_limit(key: int, made: ExitStack) -> None:
    queue = sysv_ipc.MessageQueue(key, sysv_ipc.IPC_CREX)
    made.callback(queue.remove)
    for size in (100, 23):
        queue.send(bytes(size))
    queue.max_size = MSGMNB - 1
    (found,) = [queue for queue in sysv.queues() if queue.key == key]
    assert found == Queue(key, queue.id, os.getuid(), messages=2, bytes=123, limit_bytes=MSGMNB - 1)
    assert queue.current_messages == 2, "to look takes nothing"
    assert sysv._limit_bytes(key, queue.id + 1) is None, "the key is another object's by now"


def test_a_semaphore_has_a_value(key: int, made: ExitStack) -> None:
    semaphore = sysv_ipc.Semaphore(key, sysv_ipc.IPC_CREX, initial_value=42)
    made.callback(semaphore.remove)
    (found,) = [found for found in sysv.semaphore_sets() if found.key == key]
    assert found == SemaphoreSet(key, semaphore.id, os.getuid(), semaphores=1, value=42)
    assert sysv._value(key, semaphore.id + 1) is None, "the key is another object's by now"


def test_what_has_no_key_is_listed_and_not_opened(made: ExitStack) -> None:
    """Opening the key 0 would make an object (IPC_PRIVATE)."""
    queue = sysv_ipc.MessageQueue(None, sysv_ipc.IPC_CREX)
    nameless = sysv_ipc.MessageQueue(sysv_ipc.IPC_PRIVATE, sysv_ipc.IPC_CREX)
    for each in (queue, nameless):
        made.callback(each.remove)
    before = sysv.queues()
    found = {each.id: each for each in before}
    assert found[nameless.id] == Queue(0, nameless.id, os.getuid(), 0, 0, limit_bytes=None)
    assert found[queue.id].limit_bytes == MSGMNB
    assert {each.id for each in sysv.queues()} == set(found)


@pytest.mark.skipif(os.getuid() != 0, reason="needs to become another user")
def test_what_is_somebody_elses_is_listed_without_what_only_they_may_know(key: int, made: ExitStack) -> None:
    queue = sysv_ipc.MessageQueue(key, sysv_ipc.IPC_CREX)
    semaphore = sysv_ipc.Semaphore(key, sysv_ipc.IPC_CREX)
    made.callback(queue.remove)
    made.callback(semaphore.remove)
    os.setresuid(65534, 65534, 0)
    try:
        (seen,) = [each for each in sysv.queues() if each.key == key]
        (set_,) = [each for each in sysv.semaphore_sets() if each.key == key]
    finally:
        os.setresuid(0, 0, 0)
    assert seen == Queue(key, queue.id, 0, 0, 0, limit_bytes=None)
    assert set_ == SemaphoreSet(key, semaphore.id, 0, 1, value=None)


def test_columns_are_found_by_name_in_a_list_with_more_of_them() -> None:
    assert sysv.rows("  key shmid new size\n  -2     3   4    5\n") == [{"key": -2, "shmid": 3, "new": 4, "size": 5}]
    assert sysv.rows("  key shmid\n") == []


@pytest.mark.parametrize(("key", "text"), [(1229996033, "0x49504001"), (1, "0x00000001"), (-2, "0xfffffffe")])
def test_keys_are_as_ipcs_shows_them(key: int, text: str) -> None:
    assert sysv.hexadecimal(key) == text
