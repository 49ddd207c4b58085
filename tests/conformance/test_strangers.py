"""A stranger at the address of a channel writes, steals and sends garbage: the pair counts it and goes on.

The real loops, in processes of their own, under load. What the stranger sends is corrupt, and what it takes or
overwrites is lost. Both are counted, and every number of the producer is received once or lost.
"""

from __future__ import annotations

import fcntl
import mmap
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from conformance.harness.roles import CORRUPT, DUPLICATE, LOST, RECEIVED, Role, opens, wait_until_above
from ipclab.accounting import message
from ipclab.accounting.ledger import STREAMS, ProducerLedger
from ipclab.building_blocks import ring
from ipclab.building_blocks.kernel_objects import object_name
from ipclab.building_blocks.libraries import posix_ipc, sysv_ipc
from ipclab.building_blocks.ring_channel import RING_BYTES
from ipclab.contract.channel import Address

RINGS = ("sysv_shm", "posix_shm", "mmap_file")
MAILBOXES = ("sysv_mq", "posix_mq")
TAKEN = 10
_WORD = 8
_HEADER = _WORD * ring.DATA
_MAGIC, _CAPACITY, _CLOSED = 0, 1, 2
# What a stranger writes over the header of a ring: the first word, and the bytes.
OVERWRITTEN = {
    "zeros": (0, bytes(_HEADER)),
    "ones": (0, b"\xff" * _HEADER),
    "magic": (_MAGIC, b"somebody"),
    "capacity": (_CAPACITY, (64).to_bytes(_WORD, "little")),
    "closed": (_CLOSED, b"\1" * _WORD),
    "awake": (ring.RECEIVER_AWAKE, b"\xff" * _WORD),
    "tail": (ring.TAIL, b"\xf8\xff\xff\xff\xff\xff\xff\x7f"),
    "start": (ring.START, b"\xf8\xff\xff\xff\xff\xff\xff\x7f"),
    "head": (ring.HEAD, b"\xf8\xff\xff\xff\xff\xff\xff\x7f"),
    "waits": (ring.SENDER_WAITS, b"\xff" * _WORD),
    "data": (ring.DATA, b"\xff" * 4096),
}
UNCHANGED = ("magic", "capacity", "closed")  # no record changes them
PARTS = [list(OVERWRITTEN)[number::3] for number in range(3)]  # each takes seconds; the parts may run side by side
GARBAGE = (b"", b"x", b"IPCL", os.urandom(message.HEADER_BYTES), os.urandom(8192))


@contextmanager
def attached(name: str, address: Address) -> Iterator[memoryview]:
    """The memory of a ring as any process of the namespace or of the volume can map it, from its first word on."""
    if name == "sysv_shm":
        segment = sysv_ipc.SharedMemory(address.key)
        with memoryview(segment) as whole:
            yield whole.cast("B")
        segment.detach()
        return
    descriptor = (
        posix_ipc.SharedMemory(object_name(address)).fd
        if name == "posix_shm"
        else os.open(address.path, os.O_RDWR | os.O_CLOEXEC)
    )
    with mmap.mmap(descriptor, 0) as mapping, memoryview(mapping) as whole, whole[len(whole) - RING_BYTES :] as memory:
        yield memory
    os.close(descriptor)


def overwrite(name: str, address: Address, word: int, content: bytes) -> None:
    with attached(name, address) as memory:
        memory[word * _WORD : word * _WORD + len(content)] = content


def sealed(producer: int) -> bytes:
    """A whole message of a producer that nobody knows."""
    whole = bytearray(100)
    message.seal(memoryview(whole), producer=producer, epoch=1, sequence=0, due_ns=0, sent_ns=0)
    return bytes(whole)


def send(name: str, address: Address, content: bytes) -> None:
    """Bring the bytes to where the consumer reads, by the kernel's plain calls."""
    match name:
        case "sysv_mq":
            sysv_ipc.MessageQueue(address.key, max_message_size=8192).send(content)
        case "posix_mq":
            posix_ipc.MessageQueue(object_name(address)).send(content)
        case "udp":
            with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as datagrams:
                datagrams.sendto(content, (address.host, address.port))
        case "tcp":
            with socket.create_connection((address.host, address.port)) as connection:
                connection.sendall(content)
        case "unix_stream":
            with socket.socket(socket.AF_UNIX) as connection:
                connection.connect(str(address.path))
                connection.sendall(content)
        case "anonymous_pipe":
            with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as letterbox, Path(os.devnull).open() as no_pipe:
                letterbox.connect(str(address.path))
                letterbox.send(content)
                socket.send_fds(letterbox, [content], [no_pipe.fileno()])
        case _:  # a FIFO or a file
            with address.path.open("ab", buffering=0) as file:
                fcntl.flock(file, fcntl.LOCK_EX)
                file.write(content)


def take(name: str, address: Address) -> None:
    """Take messages that are the consumer's."""
    queue = sysv_ipc.MessageQueue(address.key) if name == "sysv_mq" else posix_ipc.MessageQueue(object_name(address))
    for _ in range(TAKEN):
        queue.receive()


def moves(pair: tuple[Role, Role]) -> None:
    """Messages arrive, and both processes are what they were."""
    consumer = pair[1]
    wait_until_above("received", [consumer.total(RECEIVED) + 100], lambda: [consumer.total(RECEIVED)])
    assert [role.process.poll() for role in pair] == [None, None]


def ends(pair: tuple[Role, Role], folder: Path) -> None:
    """The producer ends, and every number it took was received once or is lost."""
    producer, consumer = pair
    producer.end()
    sent = ProducerLedger(folder / "producer" / "producer.ledger").next_sequence
    wait_until_above("accounted for", [sent - 1], lambda: [consumer.total(RECEIVED) + consumer.total(LOST)])
    assert consumer.total(RECEIVED) + consumer.total(LOST) == sent
    assert consumer.total(DUPLICATE) == 0


@pytest.mark.mechanisms(among=RINGS)
@pytest.mark.parametrize("part", PARTS, ids="-".join)
def test_a_header_that_a_stranger_wrote_over_is_noticed(
    pair: tuple[Role, Role], address: Address, name: str, part: list[str], tmp_path: Path
) -> None:
    for what in part:
        before = opens(pair)
        overwrite(name, address, *OVERWRITTEN[what])
        if what in UNCHANGED:
            wait_until_above(f"opens of both after {what} was overwritten", before, lambda: opens(pair))
        moves(pair)
    ends(pair, tmp_path)


@pytest.mark.mechanisms(among=MAILBOXES)
def test_messages_that_a_stranger_takes_are_lost_in_the_channel(
    pair: tuple[Role, Role], address: Address, name: str, tmp_path: Path
) -> None:
    take(name, address)
    moves(pair)
    ends(pair, tmp_path)
    assert pair[1].total(LOST) == TAKEN
    assert pair[1].total(CORRUPT) == 0


@pytest.mark.mechanisms(among=MAILBOXES)
def test_garbage_in_a_queue_is_corrupt_and_nothing_is_lost(
    pair: tuple[Role, Role], address: Address, name: str, tmp_path: Path
) -> None:
    for content in GARBAGE:
        send(name, address, content)
    ends(pair, tmp_path)
    wait_until_above("corrupt", [len(GARBAGE) - 1], lambda: [pair[1].total(CORRUPT)])
    assert (pair[1].total(CORRUPT), pair[1].total(LOST)) == (len(GARBAGE), 0)


@pytest.mark.mechanisms(among=("unix_stream", "tcp", "anonymous_pipe", "fifo", "plain_file", "udp"))
def test_garbage_at_any_other_address_does_not_stop_the_pair(
    pair: tuple[Role, Role], address: Address, name: str, tmp_path: Path
) -> None:
    for content in GARBAGE:
        send(name, address, content)
        moves(pair)
    ends(pair, tmp_path)
    if name != "anonymous_pipe":  # its address takes descriptors, and no message
        assert pair[1].total(CORRUPT) > 0


@pytest.mark.mechanisms(among=["fifo"])
def test_bytes_that_a_stranger_reads_from_a_fifo_are_lost(
    pair: tuple[Role, Role], address: Address, tmp_path: Path
) -> None:
    with address.path.open("rb", buffering=0) as stranger:
        assert stranger.read(1500)
        assert stranger.read(1500)
    moves(pair)
    ends(pair, tmp_path)
    assert pair[1].total(LOST) > 0


@pytest.mark.mechanisms(among=MAILBOXES)
def test_more_producers_than_have_accounts_are_corrupt(pair: tuple[Role, Role], address: Address, name: str) -> None:
    for producer in range(1, STREAMS + 2):
        send(name, address, sealed(producer))
    moves(pair)
    wait_until_above("corrupt", [1], lambda: [pair[1].total(CORRUPT)])
    assert pair[1].total(CORRUPT) == 2


@pytest.mark.mechanisms(among=["sysv_mq"])
def test_a_message_over_our_maximum_does_not_block_the_queue(
    pair: tuple[Role, Role], address: Address, tmp_path: Path
) -> None:
    """Where the namespace allows more than the 8,192 bytes that are usual; msgrcv(2), E2BIG, leaves it in the queue."""
    limit = Path("/proc/sys/kernel/msgmax")
    usual = limit.read_text()
    try:
        limit.write_text("16000")
    except OSError as error:
        pytest.skip(f"needs the right to raise msgmax of this IPC namespace: {error}")
    try:
        sysv_ipc.MessageQueue(address.key, max_message_size=16000).send(bytes(12000))
        moves(pair)
    finally:
        limit.write_text(usual)
    ends(pair, tmp_path)
    assert (pair[1].total(CORRUPT), pair[1].total(LOST)) == (1, 0)


@pytest.mark.mechanisms(among=["posix_shm"])
def test_a_python_program_that_only_looked_takes_the_segment_away_and_both_notice(
    pair: tuple[Role, Role], address: Address, tmp_path: Path
) -> None:
    """Its resource tracker unlinks what it attached, at its exit: python/cpython#82300."""
    before = opens(pair)
    look = f"from multiprocessing.shared_memory import SharedMemory as S; len(S({object_name(address)!r}).buf)"
    looked = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=False)
    assert "leaked shared_memory" in looked.stderr
    wait_until_above("opens of both", before, lambda: opens(pair))
    moves(pair)
    ends(pair, tmp_path)
    assert pair[1].total(LOST) == pair[1].total(CORRUPT) == 0
