"""The anonymous pipe of parent and child: the ends that fork(2) hands down, one pipe there and one back."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from conformance.harness.bodies import body, describe
from ipclab.building_blocks.pipes import Conversation, InheritedPipe
from ipclab.contract.errors import PeerGone, ReceiveTimeout

pytestmark = pytest.mark.mechanisms(among=["anonymous_pipe"])
TIMEOUT_S = 5.0
MIB = 1 << 20


def in_child(work: Callable[[], None]) -> int:
    """The process that does it; its exit code is 0 if nothing was raised."""
    pid = os.fork()
    if not pid:
        try:
            work()
        except BaseException:  # noqa: BLE001 - the child must never return into pytest
            os._exit(1)
        os._exit(0)
    return pid


def exit_code(pid: int) -> int:
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def descriptors() -> set[str]:
    return {entry.name for entry in Path("/proc/self/fd").iterdir()}


@pytest.mark.parametrize("size", [1, 64, 4096, 65536, MIB])
def test_a_child_answers_on_the_second_pipe(size: int) -> None:
    conversation = Conversation()

    def echo() -> None:
        receiver, sender = conversation.child()
        buffer = memoryview(bytearray(MIB))
        for _ in range(3):
            length = receiver.receive_into(buffer, TIMEOUT_S)
            sender.send(buffer[:length], TIMEOUT_S)

    pid = in_child(echo)
    receiver, sender = conversation.parent()
    buffer = memoryview(bytearray(MIB))
    with receiver, sender:
        for number in range(3):
            sender.send(memoryview(body(number, size)), TIMEOUT_S)
            length = receiver.receive_into(buffer, TIMEOUT_S)
            assert bytes(buffer[:length]) == body(number, size)
    assert exit_code(pid) == 0


def test_one_pipe_is_half_duplex() -> None:
    """pipe(2): one end reads, the other writes; so the replies need a pipe of their own."""
    reading, writing = os.pipe()
    for call in (lambda: os.write(reading, b"x"), lambda: os.read(writing, 1)):
        with pytest.raises(OSError, match="Bad file descriptor"):
            call()
    os.close(reading)
    os.close(writing)


def test_a_killed_child_is_gone_and_what_it_had_sent_is_not() -> None:
    before = descriptors()
    pipe = InheritedPipe()

    def send_and_die() -> None:
        sender = pipe.sender()
        for number in range(3):
            sender.send(memoryview(body(number, 100)), TIMEOUT_S)
        os.kill(os.getpid(), 9)

    pid = in_child(send_and_die)
    assert exit_code(pid) == -9
    buffer = memoryview(bytearray(MIB))
    with pipe.receiver() as receiver:
        for number in range(3):
            length = receiver.receive_into(buffer, TIMEOUT_S)
            assert describe(bytes(buffer[:length])) == [number, 100]
        with pytest.raises((PeerGone, ReceiveTimeout)):
            receiver.receive_into(buffer, 0.05)
    assert descriptors() == before


def test_a_sender_whose_reader_is_gone_gets_epipe() -> None:
    pipe = InheritedPipe()
    assert exit_code(in_child(lambda: pipe.receiver().close())) == 0
    with pipe.sender() as sender, pytest.raises(PeerGone) as gone:
        sender.send(memoryview(body(0, 100)), TIMEOUT_S)
    assert gone.value.errno_name == "EPIPE"
