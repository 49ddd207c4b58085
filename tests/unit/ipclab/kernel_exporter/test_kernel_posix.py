"""What /dev/shm and /dev/mqueue say of real objects, made here."""

from __future__ import annotations

import os
import shutil
import uuid
from collections.abc import Iterator
from pathlib import Path

import posix_ipc
import pytest

from conformance.harness import kernel
from ipclab.kernel_exporter import posix
from ipclab.kernel_exporter.posix import Queue, Semaphore, SharedObject


def open_descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@pytest.fixture
def name() -> Iterator[str]:
    """A name that nobody else has; what is under it is unlinked."""
    name = f"/ipclab-{uuid.uuid4().hex}"
    yield name
    for unlink in (posix_ipc.unlink_shared_memory, posix_ipc.unlink_semaphore, posix_ipc.unlink_message_queue):
        try:
            unlink(name)
        except posix_ipc.ExistentialError:
            continue


def test_an_object_stays_when_nobody_has_it_open(name: str) -> None:
    before = posix.space()
    memory = posix_ipc.SharedMemory(name, posix_ipc.O_CREX, size=1_000_000)
    os.posix_fallocate(memory.fd, 0, 1_000_000)
    os.close(memory.fd)
    found = [thing for thing in posix.shared_objects() if thing.name == name]
    assert found == [SharedObject(name, os.getuid(), 1_000_000)]
    after = posix.space()
    assert after.limit_bytes == before.limit_bytes > after.used_bytes >= 1_000_000
    # What df(1) says; somebody else may change it between the two looks.
    assert any(posix.space().used_bytes == shutil.disk_usage("/dev/shm").used for _ in range(1000))
    assert name not in {semaphore.name for semaphore in posix.semaphores()}
    posix_ipc.unlink_shared_memory(name)
    assert name not in {thing.name for thing in posix.shared_objects()}


def test_a_semaphore_has_a_value_and_is_no_shared_memory(name: str) -> None:
    posix_ipc.Semaphore(name, posix_ipc.O_CREX, initial_value=7).close()
    found = [semaphore for semaphore in posix.semaphores() if semaphore.name == name]
    assert found == [Semaphore(name, os.getuid(), 7)]
    assert not [thing for thing in posix.shared_objects() if name[1:] in thing.name]


def test_a_queue_has_a_depth_and_a_limit(name: str) -> None:
    with kernel.own_ipc_namespace():
        directory = kernel.queues_directory()
        if directory is None:
            pytest.skip("the message queues are listed nowhere, and to mount them takes root")
        queue = posix_ipc.MessageQueue(name, posix_ipc.O_CREX, max_messages=4, max_message_size=100)
        for size in (100, 23):
            queue.send(bytes(size))
        found = [each for each in posix.queues(directory) if each.name == name]
        assert found == [Queue(name, os.getuid(), bytes=123, messages=2, limit_messages=4)]
        assert queue.current_messages == 2, "to look takes nothing"
        queue.close()
        queue.unlink()
        assert name not in {each.name for each in posix.queues(directory)}


def test_looking_leaves_nothing_open_and_nothing_mapped(name: str) -> None:
    posix_ipc.Semaphore(name, posix_ipc.O_CREX).close()
    queue = posix_ipc.MessageQueue(name, posix_ipc.O_CREX)
    before = open_descriptors()
    for _ in range(3):
        posix.semaphores()
        assert posix._depth(name) == (0, 10)
    assert open_descriptors() == before
    assert f"sem.{name[1:]}" not in Path("/proc/self/maps").read_text()
    queue.close()
