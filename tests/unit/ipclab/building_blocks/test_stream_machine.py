"""All byte streams against a model, on the kernel's own pipes and sockets.

The kernel decides how many bytes a call moves and when a wait ends early. Here a script decides both, between the
endpoint and the system call: *n* is a call that moves n bytes at the most, 0 one that was woken for nothing.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from ipclab import mechanisms
from ipclab.building_blocks import pipes, scatter
from ipclab.building_blocks.framing import ATOMIC_BYTES, MARK_BYTES, PREFIX_BYTES, is_marked
from ipclab.building_blocks.scatter import MIN_BYTES, Read
from ipclab.building_blocks.timed_io import PipeRead, PipeWrite, SocketRead, SocketWrite
from ipclab.contract.channel import Address, Receiver, Sender
from ipclab.contract.errors import ChannelFull, PeerAbsent, ReceiveTimeout, TornMessage
from ipclab.linux.alarm import ALARM
from labctl.lab.ports import free_port

STREAMS = ("anonymous_pipe", "fifo", "unix_stream", "tcp")
UNLIMITED = 1 << 30
BUFFER_BYTES = 1 << 18
RANDOM = os.urandom(BUFFER_BYTES + 65536)
SCRIBBLE = b"\xaa" * BUFFER_BYTES


class Script:
    """How many bytes the next calls may move; `UNLIMITED` behind the last one."""

    def __init__(self) -> None:
        self.limits: deque[int] = deque()

    def next(self) -> int:
        """The limit of this call.

        :raises BlockingIOError: it is woken for nothing
        """
        limit = self.limits.popleft() if self.limits else UNLIMITED
        if not limit:
            raise BlockingIOError
        return limit


READS, WRITES = Script(), Script()
moves = st.one_of(st.just(0), st.integers(1, 40), st.integers(1, 70_000))


def first(pieces: list[memoryview], limit: int) -> list[memoryview]:
    """The first `limit` bytes of `pieces`."""
    some = []
    for piece in pieces:
        if limit <= 0:
            break
        some.append(piece[:limit])
        limit -= len(piece)
    return some


@dataclass
class Written:
    """Of one sender: how many bytes the kernel took by how many calls."""

    bytes: int = 0
    calls: int = 0


class Log:
    """Who wrote, in the order of the calls; `writer` is the sender that is being called."""

    def __init__(self) -> None:
        self.calls = 0
        self.writer = Written()

    def took(self, count: int) -> int:
        if count:
            self.calls += 1
            self.writer.calls += 1
            self.writer.bytes += count
        return count


LOG = Log()


class ScriptedPipeWrite(PipeWrite):
    """A write of up to PIPE_BUF is atomic: pipe(7). The script does not cut it."""

    def __init__(self, descriptor: int) -> None:
        super().__init__(descriptor)
        real = self.now
        self.now = lambda frame: LOG.took(real(frame) or 0) or None

    def __call__(self, pieces: list[memoryview], timeout_s: float, deadline: float) -> int:
        limit = WRITES.next()
        if sum(map(len, pieces)) > ATOMIC_BYTES:
            pieces = first(pieces, limit)
        return LOG.took(super().__call__(pieces, timeout_s, deadline))


def limited_read(read: Callable[..., int]) -> Callable[..., int]:
    """`PipeRead.__call__` or `SocketRead.__call__`, which moves no more than the script says."""

    def limited(self: Read, places: list[memoryview], timeout_s: float, deadline: float) -> int:
        return read(self, first(places, READS.next()), timeout_s, deadline)

    return limited


def limited_read_into(read: Callable[..., int]) -> Callable[..., int]:
    """The same for `into`."""

    def limited(self: Read, place: memoryview, timeout_s: float, deadline: float) -> int:
        return read(self, place[: READS.next()], timeout_s, deadline)

    return limited


def limited_write(self: SocketWrite, pieces: list[memoryview], timeout_s: float, deadline: float) -> int:
    """In the place of `SocketWrite.__call__`."""
    return LOG.took(_SOCKET_WRITE(self, first(pieces, WRITES.next()), timeout_s, deadline))


def limited_write_now(self: SocketWrite, frame: memoryview) -> int | None:
    """In the place of `SocketWrite.now`."""
    try:
        return LOG.took(_SOCKET_WRITE_NOW(self, frame[: WRITES.next()]) or 0) or None
    except BlockingIOError:
        return None


_SOCKET_WRITE, _SOCKET_WRITE_NOW = SocketWrite.__call__, SocketWrite.now
SCRIPTED = [
    *((read, "__call__", limited_read(read.__call__)) for read in (PipeRead, SocketRead)),
    *((read, "into", limited_read_into(read.into)) for read in (PipeRead, SocketRead)),
    (SocketWrite, "__call__", limited_write),
    (SocketWrite, "now", limited_write_now),
    (pipes, "PipeWrite", ScriptedPipeWrite),
]


@contextmanager
def scripted() -> Iterator[None]:
    """Endpoints that are made within read and write as the scripts say."""
    ALARM.forget()  # the test's own time limit has the same timer
    READS.limits.clear()
    WRITES.limits.clear()
    with ExitStack() as stack:
        for owner, name, replacement in SCRIPTED:
            stack.enter_context(patch.object(owner, name, replacement))
        yield


@contextmanager
def fresh_address() -> Iterator[Address]:
    with tempfile.TemporaryDirectory() as directory:
        yield Address(path=Path(directory) / "channel", host="127.0.0.1", port=free_port())


@dataclass
class Message:
    """One that was taken by `send`; a mixed or torn one need not arrive."""

    body: bytes
    begin: int  # in its sender's bytes
    end: int
    others_before: int | None = None  # calls of others before its first byte
    may_be_lost: bool = False


@dataclass
class Model:
    """One sender."""

    number: int
    sender: Sender
    written: Written = field(default_factory=Written)
    taken: int = 0  # bytes of all frames that `send` took
    waiting: deque[Message] = field(default_factory=deque)  # not received yet
    sent: int = 0

    @property
    def has_rest(self) -> bool:
        return self.written.bytes < self.taken


class StreamMachine(RuleBasedStateMachine):
    """Senders and a receiver in one thread: nobody moves but who is called."""

    name = ""

    def __init__(self) -> None:
        super().__init__()
        self.stack = ExitStack()
        self.stack.enter_context(scripted())
        self.mechanism = mechanisms.load(self.name)
        self.address = self.stack.enter_context(fresh_address())
        self.receiver: Receiver = self.mechanism.create_receiver(self.address)
        self.buffers = [memoryview(bytearray(SCRIBBLE)) for _ in range(2)]
        self.senders: list[Model] = []
        self.closed: list[Model] = []
        self.torn_allowed = 0
        self.opened = 0
        self.most = 1

    @initialize(several=st.booleans())
    def begin(self, several: bool) -> None:
        self.most = 3 if several else 1

    @precondition(lambda self: len(self.senders) < self.most)
    @rule()
    def open(self) -> None:
        try:
            sender = self.mechanism.open_sender(self.address)
        except PeerAbsent:  # EAGAIN: so many have come that nobody has let in yet
            self._receive(0, 0)
            return
        self.opened += 1
        self.senders.append(Model(self.opened, sender))

    @precondition(lambda self: self.senders)
    @rule(
        who=st.integers(0, 2),
        size=st.one_of(
            st.integers(1, 200),
            st.sampled_from([1, 2, ATOMIC_BYTES - PREFIX_BYTES, ATOMIC_BYTES - PREFIX_BYTES + 1]),
            st.sampled_from([MIN_BYTES - 1, MIN_BYTES, MIN_BYTES + 1, 40_000, 65_536, 100_000]),
            st.integers(MIN_BYTES, 100_000),
        ),
        count=st.integers(1, 3),
        limits=st.lists(moves, max_size=4),
    )
    def send(self, who: int, size: int, count: int, limits: list[int]) -> None:
        """Some of one size, because the reader expects the last size again."""
        model = self.senders[who % len(self.senders)]
        WRITES.limits.extend(limits)
        for _ in range(count):
            self._send(model, size, 0.001)
        WRITES.limits.clear()

    def _send(self, model: Model, size: int, timeout_s: float) -> bool:
        start = (model.number * 31 + model.sent * 7919) % 65536
        body = bytes([model.number % 256, model.sent % 256])[:size] + RANDOM[start : start + max(0, size - 2)]
        LOG.writer = model.written
        try:
            model.sender.send(memoryview(body), timeout_s)
        except ChannelFull:
            self._note_mixed()
            return False
        marks = 2 * MARK_BYTES if self.name == "fifo" and is_marked(size) else 0
        frame_bytes = PREFIX_BYTES + size + marks
        model.waiting.append(Message(body, model.taken, model.taken + frame_bytes))
        model.taken += frame_bytes
        model.sent += 1
        self._note_mixed()
        return True

    def _note_mixed(self) -> None:
        """On a FIFO: a message is mixed if others wrote after its first and before its last byte."""
        for model in self.senders if self.name == "fifo" else ():
            others = LOG.calls - model.written.calls
            for message in model.waiting:
                if message.begin < model.written.bytes and message.others_before is None:
                    message.others_before = others
                is_complete = message.end <= model.written.bytes
                is_mixed = message.others_before is not None and others > message.others_before
                if is_mixed and not message.may_be_lost and (not is_complete or model.written is LOG.writer):
                    message.may_be_lost = True
                    self.torn_allowed += 1
                if is_complete:
                    message.others_before = 1 << 60  # nothing can mix it any more

    @precondition(lambda self: self.senders)
    @rule(who=st.integers(0, 2), size=st.sampled_from([MIN_BYTES, 40_000]))
    def flow(self, who: int, size: int) -> None:
        """Three times one message, received at once: from then on the reader reads that size directly."""
        for _ in range(3):
            self._send(self.senders[who % len(self.senders)], size, 0.001)
            self._receive(0.002, 0)

    @rule(
        limits=st.lists(moves, max_size=6),
        count=st.integers(1, 4),
        timeout_s=st.sampled_from([0.0, 0.0005, 0.002]),
        which=st.integers(0, 1),
    )
    def receive(self, limits: list[int], count: int, timeout_s: float, which: int) -> None:
        READS.limits.extend(limits)
        for _ in range(count):
            self._receive(timeout_s, which)
        READS.limits.clear()

    def _receive(self, timeout_s: float, which: int) -> bool:
        """Whether anything was said."""
        buffer, other = self.buffers[which], self.buffers[1 - which]
        try:
            length = self.receiver.receive_into(buffer, timeout_s)
            self._arrived(bytes(buffer[:length]))
        except ReceiveTimeout:
            return False
        except TornMessage:
            assert self.torn_allowed, "a message was torn that nobody has cut or mixed"
        finally:
            assert other == SCRIBBLE, "the buffer of an earlier call was written to"
            buffer[:] = SCRIBBLE
        return True

    def _arrived(self, body: bytes) -> None:
        for model in self.senders + self.closed:
            for skipped, message in enumerate(model.waiting):
                if message.body == body:
                    assert message.end <= model.written.bytes, "a message arrived before it was written"
                    for _ in range(skipped + 1):
                        model.waiting.popleft()
                    return
                if not message.may_be_lost:
                    break
        raise AssertionError(f"{len(body)} bytes arrived that are no message, or not the next one")

    @precondition(lambda self: self.senders)
    @rule(who=st.integers(0, 2))
    def close(self, who: int) -> None:
        """A sender that goes leaves the message in the stream that was not finished."""
        model = self.senders.pop(who % len(self.senders))
        model.sender.close()
        if model.has_rest:
            model.waiting[-1].may_be_lost = True
            self.torn_allowed += 1
        self.closed.append(model)

    def teardown(self) -> None:
        try:
            WRITES.limits.clear()
            READS.limits.clear()
            give_up = time.monotonic() + 30
            for model in self.senders:  # what was begun is finished before the next
                while model.has_rest and time.monotonic() < give_up:
                    self._send(model, 1, 0.001)
                    while self._receive(0, 0):
                        pass
            while self.senders:
                self.close(0)
            while any(not m.may_be_lost for model in self.closed for m in model.waiting) and time.monotonic() < give_up:
                self._receive(0.01, 0)
            left = [len(m.body) for model in self.closed for m in model.waiting if not m.may_be_lost]
            assert not left, f"messages of these sizes never arrived: {left}"
        finally:
            for model in self.senders:
                model.sender.close()
            self.receiver.remove()
            self.stack.close()


@pytest.mark.parametrize("name", STREAMS)
def test_every_message_arrives_whole_and_once_whatever_the_calls_move(name: str) -> None:
    machine = type(f"StreamMachine_{name}", (StreamMachine,), {"name": name})
    run_state_machine_as_test(machine, settings=settings(max_examples=25, stateful_step_count=30))


SIZE = ATOMIC_BYTES + 10  # marked, where senders share a stream; far fewer bytes than are read directly elsewhere


@pytest.fixture
def ends(name: str) -> Iterator[tuple[Sender, Receiver]]:
    """A sender and a receiver that has twice heard a message of `SIZE`, and reads another one directly."""
    with patch.object(scatter, "MIN_BYTES", SIZE), scripted(), fresh_address() as address:
        mechanism = mechanisms.load(name)
        with mechanism.create_receiver(address) as receiver, mechanism.open_sender(address) as sender:
            for _ in range(2):
                exchange(sender, receiver, RANDOM[:SIZE])
            yield sender, receiver
            receiver.remove()


def exchange(sender: Sender, receiver: Receiver, body: bytes) -> None:
    """Send one message, and receive it."""
    sender.send(memoryview(body), 1)
    assert received(receiver) == body


def received(receiver: Receiver) -> bytes:
    """The next message, in a buffer that was not used before."""
    buffer = memoryview(bytearray(2 * SIZE))
    return bytes(buffer[: receiver.receive_into(buffer, 1)])


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.parametrize("size", [1, 100, SIZE - 1, SIZE, SIZE + 1, 2 * SIZE])
def test_a_direct_read_that_is_woken_for_nothing_takes_a_message_of_any_size(
    ends: tuple[Sender, Receiver], size: int
) -> None:
    sender, receiver = ends
    for come in range(PREFIX_BYTES + MARK_BYTES + 1):
        READS.limits.extend([come, 0] if come else [0])
        exchange(sender, receiver, RANDOM[come : come + size])
        READS.limits.clear()
        for _ in range(2):
            exchange(sender, receiver, RANDOM[:SIZE])


@pytest.mark.parametrize("name", STREAMS)
def test_writes_and_direct_reads_may_end_early_at_every_byte(ends: tuple[Sender, Receiver], name: str) -> None:
    sender, receiver = ends
    frame_bytes = PREFIX_BYTES + SIZE + (2 * MARK_BYTES if name == "fifo" else 0)
    for come in range(1, frame_bytes):
        body = RANDOM[come : come + SIZE]
        WRITES.limits.extend([come, 0])
        sender.send(memoryview(body), 0)  # taken: the rest is written with the next one
        sender.send(memoryview(RANDOM[:SIZE]), 1)
        READS.limits.extend([come, 0, frame_bytes - come])
        assert received(receiver) == body, f"{come} bytes came first"
        assert received(receiver) == RANDOM[:SIZE], f"{come} bytes of the message before came first"
