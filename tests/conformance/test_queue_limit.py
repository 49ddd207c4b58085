"""RLIMIT_MSGQUEUE: the kernel's refusal has its name and its hint, and the responder's queues take little of it."""

from __future__ import annotations

import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipclab.contract.channel import Address
from ipclab.contract.errors import Unusable
from ipclab.matrix import request_reply
from ipclab.mechanisms.posix_mq import MECHANISM


@pytest.fixture
def queue_bytes() -> Iterator[None]:
    """No byte of a POSIX queue for this process; setrlimit(2) checks the limit when a queue is made."""
    soft, hard = resource.getrlimit(resource.RLIMIT_MSGQUEUE)
    resource.setrlimit(resource.RLIMIT_MSGQUEUE, (0, hard))
    yield
    resource.setrlimit(resource.RLIMIT_MSGQUEUE, (soft, hard))


@pytest.mark.usefixtures("queue_bytes")
def test_a_used_up_limit_is_emfile_with_a_hint() -> None:
    with pytest.raises(Unusable) as refused:
        MECHANISM.create_receiver(Address(path=Path("ipclab-limit-test")))
    assert refused.value.errno_name == "EMFILE"
    assert "RLIMIT_MSGQUEUE" in refused.value.explained()
    assert "LAB_UID" in refused.value.explained()


def test_a_queue_for_questions_is_small_and_no_pairs(tmp_path: Path) -> None:
    address = Address(path=Path(f"ipclab-questions-{tmp_path.name}"))
    small = request_reply.for_questions(MECHANISM)
    soft, hard = resource.getrlimit(resource.RLIMIT_MSGQUEUE)
    receiver = small.create_receiver(address)
    try:
        assert small.traits.max_message_bytes < MECHANISM.traits.max_message_bytes
        with small.open_sender(address) as sender:
            sender.send(memoryview(b"question"), 1.0)
        buffer = memoryview(bytearray(64))
        assert bytes(buffer[: receiver.receive_into(buffer, 1.0)]) == b"question"
    finally:
        receiver.remove()
    assert (soft, hard) == resource.getrlimit(resource.RLIMIT_MSGQUEUE)
