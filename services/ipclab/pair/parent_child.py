"""A parent and a child in one container: the classic form of the anonymous pipe, and what the kernel shows of its ends.

Sources: pipe(2), pipe(7), fork(2), proc_pid_fd(5). A pipe is half duplex, so questions use one pipe and answers
another. The first message of the child describes the child; after that the child sends back each message.
"""

from __future__ import annotations

import json
import os
import statistics
import time
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ipclab.building_blocks.pipes import Conversation
from ipclab.contract.channel import Receiver, Sender
from ipclab.contract.errors import GONE, ChannelError, PeerGone

_TIMEOUT_S = 5.0
_INTRODUCTION_BYTES = 4096
_FD = Path("/proc/self/fd")


@dataclass(frozen=True, slots=True)
class Process:
    """One of the two: its id, and by the kernel's names, "pipe:[inode]", the pipes that it has an end of."""

    pid: int
    reads: list[str]
    writes: list[str]


@dataclass(frozen=True, slots=True)
class Talk:
    """Seconds of a round trip; `wrong` answers were not their question."""

    parent: Process
    child: Process
    round_trips: int
    size_bytes: int
    wrong: int
    median_s: float
    p99_s: float


def talk(round_trips: int, size_bytes: int) -> Talk:
    """Fork, ask the child so often, and wait until it has ended.

    :raises ChannelError: the child ended too soon
    """
    others = set(_pipes())
    conversation = Conversation()
    pid = os.fork()
    if not pid:
        _be_the_child(conversation, others)
    problem = None
    try:
        receiver, sender = conversation.parent()
        with receiver, sender:
            child = _introduced(receiver)
            seconds, wrong = _ask(receiver, sender, round_trips, size_bytes)
            parent = _process(others)
    except ChannelError as error:
        problem = error
    _, status = os.waitpid(pid, 0)
    if status:
        raise PeerGone(f"the child ended with {os.waitstatus_to_exitcode(status)}", code=GONE) from problem
    if problem:
        raise problem
    p99_s = statistics.quantiles(seconds, n=100)[-1]
    return Talk(parent, child, round_trips, size_bytes, wrong, statistics.median(seconds), p99_s)


def _ask(receiver: Receiver, sender: Sender, round_trips: int, size_bytes: int) -> tuple[list[float], int]:
    question, answer = memoryview(bytearray(size_bytes)), memoryview(bytearray(size_bytes))
    seconds, wrong = [], 0
    for number in range(round_trips):
        question[:] = number.to_bytes(size_bytes, "little")
        began = time.perf_counter()
        sender.send(question, _TIMEOUT_S)
        length = receiver.receive_into(answer, _TIMEOUT_S)
        seconds.append(time.perf_counter() - began)
        wrong += answer[:length] != question
    return seconds, wrong


def _be_the_child(conversation: Conversation, others: set[str]) -> None:
    """Answer until the parent closes its end; nothing of the parent's is cleared away by the child."""
    code = 1
    try:
        receiver, sender = conversation.child()
        sender.send(memoryview(json.dumps(asdict(_process(others))).encode()), _TIMEOUT_S)
        buffer = memoryview(bytearray(1 << 20))
        with suppress(ChannelError):
            while True:
                sender.send(buffer[: receiver.receive_into(buffer, _TIMEOUT_S)], _TIMEOUT_S)
        code = 0
    finally:
        os._exit(code)


def _introduced(receiver: Receiver) -> Process:
    buffer = memoryview(bytearray(_INTRODUCTION_BYTES))
    introduction: dict[str, Any] = json.loads(bytes(buffer[: receiver.receive_into(buffer, _TIMEOUT_S)]))
    return Process(**introduction)


def _process(others: set[str]) -> Process:
    """This one, without the pipes that it had before."""
    ends: dict[bool, list[str]] = {True: [], False: []}
    for name, reads in _pipes().items():
        if name not in others:
            ends[reads].append(name)
    return Process(os.getpid(), reads=ends[True], writes=ends[False])


def _pipes() -> dict[str, bool]:
    """Every pipe this process has one end of, and whether it is the end to read from."""
    ends = {}
    for entry in list(_FD.iterdir()):
        with suppress(OSError):  # the descriptor that listed them is closed by now
            name = str(entry.readlink())
            if name.startswith("pipe:"):
                flags = Path(f"/proc/self/fdinfo/{entry.name}").read_text().split("flags:")[1].split()[0]
                ends[name] = int(flags, 8) & os.O_ACCMODE == os.O_RDONLY
    return ends
