"""The kernel's objects as metrics, and whose the objects are; the objects are real, and so is the role's process."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import sysv_ipc
from click import BadParameter

from ipclab.contract.channel import Address
from ipclab.kernel_exporter import exporter
from ipclab.kernel_exporter import limits as kernel_limits
from ipclab.kernel_exporter.exporter import KernelObjects
from ipclab.kernel_exporter.owners import EchoOwners, OwnerOption, Owners
from ipclab.kernel_exporter.sysv import Queue, Segment, SemaphoreSet
from ipclab.matrix.request_reply import reply_address
from ipclab.metrics.definitions import Role
from ipclab.metrics.exposition import Page
from ipclab.runtime import settings
from support.pages import value_on

OWNERS = Owners({"sysv_shm": 100, "sysv_mq": 101}, {"posix_shm": "ring", "posix_mq": "/channel/queue"})


def test_an_object_is_on_the_page_as_long_as_it_is_in_the_kernel() -> None:
    key = random.randrange(1 << 20, 1 << 30)
    owners = Owners({"sysv_mq": key})
    page = Page("", Role.KERNEL, lambda: exporter.samples(KernelObjects.read(), owners, EchoOwners(), {}))
    queue = sysv_ipc.MessageQueue(key, sysv_ipc.IPC_CREX)
    labels = {"mechanism": "sysv_mq", "role": "kernel", "key": f"0x{key:08x}", "id": str(queue.id), "name": ""}
    labels["owner"] = "sysv_mq"
    labels["uid"] = str(os.getuid())
    try:
        assert value_on(page, "ipc_kernel_queue_bytes", labels) == 0
        queue.send(b"abc")
        assert value_on(page, "ipc_kernel_queue_bytes", labels) == 3
        limit = value_on(page, "ipc_kernel_queue_limit_bytes", labels)
    finally:
        queue.remove()
    assert value_on(page, "ipc_kernel_queue_bytes", labels) is None
    nobodys = {"mechanism": "", "role": "kernel"}
    assert limit == value_on(page, "ipc_kernel_limit", {**nobodys, "limit": "msgmnb"})
    space = os.statvfs("/dev/shm")
    assert value_on(page, "ipc_kernel_dev_shm_limit_bytes", nobodys) == space.f_blocks * space.f_frsize


def test_a_segment_that_is_removed_and_still_attached_is_shown_as_that_and_as_its_pairs() -> None:
    key = random.randrange(1 << 20, 1 << 30)
    owners = Owners({"sysv_shm": key})
    remembered: exporter.Remembered = {}
    page = Page("", Role.KERNEL, lambda: exporter.samples(KernelObjects.read(), owners, EchoOwners(), remembered))
    segment = sysv_ipc.SharedMemory(key, sysv_ipc.IPC_CREX, size=4096)
    labels = {"mechanism": "sysv_shm", "role": "kernel", "id": str(segment.id), "name": "", "owner": "sysv_shm"}
    labels["uid"] = str(os.getuid())
    there, removed = ({**labels, "key": key} for key in (f"0x{key:08x}", f"removed (id {segment.id})"))
    try:
        assert value_on(page, "ipc_kernel_shm_attachments", there) == 1
    finally:
        segment.remove()
    assert value_on(page, "ipc_kernel_shm_attachments", removed) == 1
    assert value_on(page, "ipc_kernel_shm_attachments", there) is None
    segment.detach()
    assert value_on(page, "ipc_kernel_shm_attachments", removed) is None
    assert segment.id not in remembered


@pytest.mark.parametrize(
    ("thing", "mechanism"),
    [
        (Segment(100, 1, 0, 1, 1), "sysv_shm"),
        (SemaphoreSet(100, 1, 0, 1, 1), "sysv_shm"),
        (SemaphoreSet(101, 1, 0, 1, 1), "sysv_shm"),  # sysv_mq has the key, and no semaphore
        (SemaphoreSet(99, 1, 0, 1, 1), "sysv_shm"),
        (Queue(101, 1, 0, 1, 1, 1), "sysv_mq"),
        (Segment(101, 1, 0, 1, 1), "sysv_shm"),  # the shared words
        (SemaphoreSet(102, 1, 0, 1, 1), "sysv_shm"),  # their lock
        (SemaphoreSet(103, 1, 0, 1, 1), ""),
        (Queue(100, 1, 0, 1, 1, 1), ""),
        (Segment(102, 1, 0, 1, 1), ""),
        (Segment(0, 1, 0, 1, 1), ""),
    ],
)
def test_a_system_v_object_is_known_by_its_key(thing: Segment | Queue | SemaphoreSet, mechanism: str) -> None:
    assert OWNERS.of_sysv(thing) == mechanism


@pytest.mark.parametrize(
    ("name", "mechanism"),
    [
        ("/ipclab-ring", "posix_shm"),
        ("/ipclab-ring.room", "posix_shm"),
        ("/ipclab-queue", "posix_mq"),
        ("/ipclab-rings", ""),
        ("/ring", ""),
    ],
)
def test_a_posix_object_is_known_by_its_name(name: str, mechanism: str) -> None:
    assert OWNERS.of_name(name) == mechanism


ECHO = EchoOwners.of_responder(Address(key=0x100, path=Path("/channel")))
# A ring has keys and semaphores beside its first; the channel on which a probe hears it reply comes after them.
REPLY_KEY = reply_address(Address(key=0x100)).key


@pytest.mark.parametrize(
    ("thing", "owner"),
    [
        (Segment(0x100, 1, 0, 1, 1), "responder"),
        (SemaphoreSet(0x101, 1, 0, 1, 1), "responder"),
        (Queue(0x100, 1, 0, 1, 1, 1), "responder"),
        (Segment(REPLY_KEY, 1, 0, 1, 1), "probe"),
        (Queue(REPLY_KEY, 1, 0, 1, 1, 1), "probe"),
        (Segment(0x200, 1, 0, 1, 1), ""),
    ],
)
def test_of_the_matrix_too_a_system_v_object_is_known_by_its_key(thing: Segment | Queue, owner: str) -> None:
    assert ECHO.of_sysv(thing) == owner
    assert EchoOwners().of_sysv(thing) == ""


@pytest.mark.parametrize(
    ("name", "owner"),
    [
        ("/ipclab-echo-posix-shm", "responder"),
        ("/ipclab-echo-posix-shm.room", "responder"),
        ("/ipclab-echo-posix-mq.reply", "probe"),
        ("/ipclab-echo-posix-shm.reply.room", "probe"),
        ("/ipclab-posix-shm", ""),
    ],
)
def test_of_the_matrix_too_a_posix_object_is_known_by_its_name(name: str, owner: str) -> None:
    assert ECHO.of_name(name) == owner


def test_an_object_of_the_matrix_is_no_pairs_and_has_an_owner() -> None:
    queue = Queue(0x100, 7, 10001, 0, 0, None)
    objects = replace(KernelObjects.read(), sysv_queues=[queue])
    page = Page("", Role.KERNEL, lambda: exporter.samples(objects, Owners(), ECHO, {}))
    labels = {"mechanism": "", "role": "kernel", "key": "0x00000100", "id": "7", "name": "", "uid": "10001"}
    assert value_on(page, "ipc_kernel_queue_bytes", {**labels, "owner": "responder"}) == 0


def test_the_limits_are_those_of_proc() -> None:
    limits = kernel_limits.read()
    for name in ("msgmax", "msgmnb", "shmmni"):
        assert limits[name] == int(Path(f"/proc/sys/kernel/{name}").read_text())
    assert limits["semmsl"] == int(Path("/proc/sys/kernel/sem").read_text().split()[0])
    assert limits["mqueue_msg_max"] == int(Path("/proc/sys/fs/mqueue/msg_max").read_text())


def test_a_kernel_that_lacks_a_limit_shows_the_others(tmp_path: Path) -> None:
    (tmp_path / "kernel").mkdir()
    (tmp_path / "kernel" / "shmmni").write_text("4096\n")
    assert kernel_limits.read(tmp_path) == {"shmmni": 4096}


@pytest.mark.parametrize(
    "text", ["sysv_mq", "sysv_mq=", "=1", "sysv=1", "sysv_mq=0", "sysv_mq=x", "sysv_mq=2147483648"]
)
def test_an_owner_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(BadParameter):
        OwnerOption(settings.KEY).convert(text, None, None)
    assert OwnerOption(settings.KEY).convert("sysv_mq=7", None, None) == ("sysv_mq", 7)


def test_a_bad_option_of_the_role_is_one_line_and_exit_code_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ipclab", "kernel", "--sysv", "nobody=1"],
        env={},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout, len(done.stderr.splitlines())) == (2, "", 1)
    assert "nobody=1" in done.stderr
    assert "sysv_shm" in done.stderr
