from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from ipclab.building_blocks.pipes import Conversation
from ipclab.contract.errors import PeerGone
from ipclab.pair import parent_child


def pipes_of_this_process() -> list[str]:
    return [name for entry in Path("/proc/self/fd").iterdir() if (name := name_of(entry)).startswith("pipe:")]


def name_of(descriptor: Path) -> str:
    try:
        return str(descriptor.readlink())
    except OSError:  # the one that lists them
        return ""


def test_each_has_one_end_of_each_of_two_pipes_and_every_answer_is_its_question() -> None:
    before = pipes_of_this_process()
    seen = parent_child.talk(300, 64)
    assert seen.parent.pid == os.getpid() != seen.child.pid
    (there,), (back,) = seen.parent.writes, seen.parent.reads
    assert (seen.child.reads, seen.child.writes) == ([there], [back])
    assert there != back
    assert (seen.round_trips, seen.size_bytes, seen.wrong) == (300, 64, 0)
    assert 0 < seen.median_s <= seen.p99_s
    assert pipes_of_this_process() == before
    with pytest.raises(ChildProcessError):
        os.waitpid(seen.child.pid, os.WNOHANG)  # it has been waited for


def test_a_wrong_answer_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    parent = Conversation.parent

    def deaf(conversation: Conversation) -> object:
        receiver, sender = parent(conversation)
        receive_into = receiver.receive_into

        def twisted(buffer: memoryview, timeout_s: float) -> int:
            length = receive_into(buffer, timeout_s)
            if length == 64 and buffer[0] % 10 == 0:
                buffer[63] = 1
            return length

        receiver.receive_into = twisted  # type: ignore[method-assign]
        return receiver, sender

    monkeypatch.setattr(Conversation, "parent", deaf)
    assert parent_child.talk(100, 64).wrong == 10


def test_a_child_that_dies_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Conversation, "child", lambda _: os.kill(os.getpid(), signal.SIGKILL))
    monkeypatch.setattr(parent_child, "_TIMEOUT_S", 0.1)
    with pytest.raises(PeerGone, match="the child ended with -9"):
        parent_child.talk(10, 64)
