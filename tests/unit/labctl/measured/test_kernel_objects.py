"""What `./lab status` makes of the kernel's objects: objects put together from their series, and the table of them."""

from __future__ import annotations

from dataclasses import replace

import pytest

from labctl.commands import tables
from labctl.measured import kernel_objects
from labctl.measured.kernel_objects import Buffer, KernelObjects, Queue, Segment
from support.prometheus import Vector, prometheus_that_says

# As Prometheus has them: without the labels that are empty.
RING = {"mechanism": "sysv_shm", "owner": "sysv_shm", "key": "0x01", "id": "1", "uid": "10001"}
STRAY = {"key": "0x02", "id": "2", "uid": "0"}
ECHO = {"key": "0x101", "id": "4", "uid": "10001", "owner": "responder"}
REPLY = {"key": "0x103", "id": "5", "uid": "10001", "owner": "probe"}
ECHO_OBJECT = {"name": "/ipclab-echo-posix-shm", "uid": "10001", "owner": "responder"}
REPLY_OBJECT = {"name": "/ipclab-echo-posix-shm.reply", "uid": "10001", "owner": "probe"}
ECHO_QUEUE = {"name": "/ipclab-echo-posix-mq", "uid": "10001", "owner": "responder"}
OBJECT = {"mechanism": "posix_shm", "owner": "posix_shm", "name": "/ring", "uid": "10001"}
SYSV = {"mechanism": "sysv_mq", "owner": "sysv_mq", "key": "0x03", "id": "3", "uid": "10001"}
POSIX = {"mechanism": "posix_mq", "owner": "posix_mq", "name": "/queue", "uid": "10001"}
FIFO = {"mechanism": "fifo"}

ANSWERS: dict[str, Vector] = {
    "shm_attachments": [(RING, 2.0), (STRAY, 0.0), (ECHO, 1.0), (REPLY, 1.0)],
    "shm_size_bytes": [
        (RING, 2_097_424.0),
        (STRAY, 4096.0),
        (ECHO, 64.0),
        (REPLY, 64.0),
        (OBJECT, 2_097_424.0),
        (ECHO_OBJECT, 64.0),
        (REPLY_OBJECT, 64.0),
    ],
    "queue_messages": [(SYSV, 15.0), (POSIX, 10.0), (ECHO_QUEUE, 0.0)],
    "queue_bytes": [(SYSV, 15_360.0), (POSIX, 10_240.0)],
    "queue_limit_messages": [(POSIX, 10.0)],
    "queue_limit_bytes": [(SYSV, 16_384.0)],
    "buffer_bytes": [({**FIFO, "role": role}, 1028.0) for role in ("consumer", "producer")]
    + [({"mechanism": "tcp", "role": "producer"}, 77.0)],
    "buffer_limit_bytes": [({**FIFO, "role": role}, 65_536.0) for role in ("producer", "consumer")],
    "dev_shm_used": [({}, 4_202_496.0)],
    "dev_shm_limit": [({}, 67_108_864.0)],
}
HELD = KernelObjects(
    segments=[
        Segment("", "responder", "", "/ipclab-echo-posix-shm", 10001, 64, None),
        Segment("", "probe", "", "/ipclab-echo-posix-shm.reply", 10001, 64, None),
        Segment("", "", "0x02", "", 0, 4096, 0),
        Segment("", "responder", "0x101", "", 10001, 64, 1),
        Segment("", "probe", "0x103", "", 10001, 64, 1),
        Segment("posix_shm", "posix_shm", "", "/ring", 10001, 2_097_424, None),
        Segment("sysv_shm", "sysv_shm", "0x01", "", 10001, 2_097_424, 2),
    ],
    queues=[
        Queue("", "responder", "", "/ipclab-echo-posix-mq", 10001, 0, None, None, None),
        Queue("posix_mq", "posix_mq", "", "/queue", 10001, 10, 10_240, 10, None),
        Queue("sysv_mq", "sysv_mq", "0x03", "", 10001, 15, 15_360, None, 16_384),
    ],
    buffers=[Buffer("fifo", 1028, 65_536, "consumer"), Buffer("tcp", 77, None, "producer")],  # whose consumer is silent
    dev_shm_used_bytes=4_202_496,
    dev_shm_limit_bytes=67_108_864,
)


def test_objects_are_put_together_from_their_series() -> None:
    with prometheus_that_says(ANSWERS) as prometheus:
        assert kernel_objects.read(prometheus) == HELD


def test_nothing_is_held_where_nothing_was_measured(capsys: pytest.CaptureFixture[str]) -> None:
    with prometheus_that_says({}) as prometheus:
        held = kernel_objects.read(prometheus)
    assert held == KernelObjects([], [], [], None, None)
    tables.show_kernel_objects(held)
    assert capsys.readouterr().out == ""


def test_the_table_says_how_full_everything_is(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show_kernel_objects(HELD)
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    for row in (
        "shared memory 0x02 - 4,096 - 0",
        "shared memory 0x101 responder 64 - 1",
        "shared memory /ipclab-echo-posix-shm.reply probe 64 - -",
        "queue /ipclab-echo-posix-mq responder - 0 -",
        "shared memory /ring posix_shm 2,097,424 - -",
        "shared memory 0x01 sysv_shm 2,097,424 - 2",
        "queue /queue posix_mq 10,240 10 of 10 -",
        "queue 0x03 sysv_mq 15,360 of 16,384 15 -",
        "pipe or socket buffer fifo 1,028 of 65,536 - -",
        "buffer, asked by the producer tcp 77 - -",
        "/dev/shm - 4,202,496 of 67,108,864 - -",
    ):
        assert row.split() in lines


def test_a_segment_that_lost_its_key_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show_kernel_objects(HELD)
    said = capsys.readouterr().out
    assert "without a key" not in said
    assert "Removed:" not in said
    tables.show_kernel_objects(replace(HELD, segments=[Segment("", "", "0x00000000", "", 10001, 64, 1)]))
    assert "0x00000000: a segment without a key" in capsys.readouterr().out
    tables.show_kernel_objects(
        replace(HELD, segments=[Segment("sysv_shm", "sysv_shm", "removed (id 5)", "", 10001, 64, 2)])
    )
    said = capsys.readouterr().out
    assert ["shared", "memory", "removed", "(id", "5)", "sysv_shm", "64", "-", "2"] in [
        line.split() for line in said.splitlines()
    ]
    assert "Removed: a segment without a key" in said
