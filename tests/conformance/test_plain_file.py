"""What has to be added to a file before it is a channel, and what happens without it."""

from __future__ import annotations

import multiprocessing
import os
import resource
import subprocess
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.conftest import StartPeer
from conformance.harness.bodies import body, describe
from conformance.harness.peers import Peer, PeerError
from conformance.harness.volumes import mounted
from ipclab.building_blocks.framing import PREFIX_BYTES, write_prefix
from ipclab.building_blocks.shared_file import HEADER_BYTES
from ipclab.contract.channel import Address, Wait
from ipclab.contract.errors import AccessRefused, ChannelFull, ReceiveTimeout, TornMessage
from ipclab.mechanisms.plain_file import LONG_BYTES, MECHANISM, FileReceiver, PlainFile

pytestmark = pytest.mark.mechanisms(picks=lambda traits: traits is MECHANISM.traits)
POSITION_OFFSET = 8
APPENDS = 2000
IN_VAIN = 1000


def half_a_frame(length: int) -> bytes:
    """What a writer leaves that is killed in the middle of an append."""
    frame = memoryview(bytearray(PREFIX_BYTES + length))
    write_prefix(frame, length)
    return bytes(frame[: PREFIX_BYTES + length // 2])


def all_of(receiver: FileReceiver) -> tuple[list[int], int]:
    """The numbers that arrive until nothing comes, and how often something was torn or altered."""
    buffer = memoryview(bytearray(1 << 20))
    seen: list[int] = []
    torn = 0
    while True:
        try:
            length = receiver.receive_into(buffer, 0.2)
        except ReceiveTimeout:
            return [number for number in seen if number >= 0], torn + seen.count(-1)
        except TornMessage:
            torn += 1
        else:
            seen.append(describe(bytes(buffer[:length]))[0])


def test_a_restarted_reader_goes_on_where_the_dead_one_was(sender: Peer, receiver: Peer, start: StartPeer) -> None:
    for number in range(10):
        sender.do("send", sequence=number, size=500)
    assert [receiver.do("receive")[0] for _ in range(4)] == [0, 1, 2, 3]
    receiver.kill()
    second = start()
    second.do("open", role="receiver")
    assert [number for number, _ in second.do("drain")] == [4, 5, 6, 7, 8, 9]


def test_a_second_reader_is_refused_while_the_first_lives(receiver: Peer, start: StartPeer) -> None:
    second = start()
    with pytest.raises(PeerError) as refused:
        second.do("open", role="receiver")
    assert (refused.value.kind, refused.value.errno_name) == ("Unusable", "EAGAIN")
    receiver.kill()
    second.do("open", role="receiver")


@pytest.mark.parametrize("next_size", [100, 9000])  # it ends within the torn one's length, and behind it
def test_a_torn_append_is_skipped_and_the_next_message_is_not(
    next_size: int, sender: Peer, receiver: Peer, address: Address
) -> None:
    with address.path.open("ab") as file:
        file.write(half_a_frame(4000))
    sender.do("send", sequence=1, size=next_size)
    sender.do("send", sequence=2, size=100)
    assert receiver.do("drain") == [[-2, 0], [1, next_size], [2, 100]]


def test_a_torn_append_at_the_end_is_skipped(sender: Peer, receiver: Peer, address: Address) -> None:
    with address.path.open("ab") as file:
        file.write(half_a_frame(4000))
    assert receiver.do("drain") == [[-2, 0]]
    sender.do("send", sequence=1, size=100)
    assert receiver.do("drain") == [[1, 100]]


def test_an_altered_byte_costs_one_message(sender: Peer, receiver: Peer, address: Address) -> None:
    for number in range(3):
        sender.do("send", sequence=number, size=500)
    content = bytearray(address.path.read_bytes())
    content[len(content) // 2] ^= 1
    address.path.write_bytes(content)
    assert receiver.do("drain") == [[0, 500], [-2, 0], [2, 500]]


def test_what_was_read_is_cut_off_once_it_is_long_or_nothing_comes(
    sender: Peer, receiver: Peer, address: Address
) -> None:
    for number in range(LONG_BYTES // 100_000 + 1):
        sender.do("send", sequence=number, size=100_000)
    assert address.path.stat().st_size > LONG_BYTES
    assert len(receiver.do("drain", quiet_s=0)) == LONG_BYTES // 100_000 + 1
    assert address.path.stat().st_size == HEADER_BYTES
    sender.do("send", sequence=99, size=100)
    assert receiver.do("drain") == [[99, 100]]
    assert address.path.stat().st_size == HEADER_BYTES


@pytest.mark.parametrize("writes_in_between", [False, True])
def test_a_reader_killed_while_it_shortened_the_file_delivers_nothing_twice(
    writes_in_between: bool, sender: Peer, receiver: Peer, start: StartPeer, address: Address
) -> None:
    for number in range(3):
        sender.do("send", sequence=number, size=500)
    receiver.kill()
    with address.path.open("r+b") as file:
        file.seek(POSITION_OFFSET)
        file.write(bytes(8))  # all was read; then it died
    expected = []
    if writes_in_between:
        sender.do("send", sequence=3, size=100)
        expected = [[3, 100]]
    second = start()
    second.do("open", role="receiver")
    assert second.do("drain") == expected


def test_two_writers_with_the_lock_lose_nothing(address: Address) -> None:
    seen, torn = _two_writers(address, lock=True)
    assert torn == 0
    assert sorted(seen) == list(range(2 * APPENDS))


def test_two_writers_without_the_lock_write_over_each_other(address: Address) -> None:
    # The same code with one flag. How often it happens is up to the scheduler; that it happens is not.
    lost = 0
    for _ in range(30):
        seen, torn = _two_writers(address, lock=False)
        assert len(seen) <= 2 * APPENDS
        lost += 2 * APPENDS - len(set(seen)) + torn
        if lost:
            break
    assert lost > 0


def _two_writers(address: Address, *, lock: bool) -> tuple[list[int], int]:
    """What is in the file after two processes have appended at the same time."""
    mechanism = PlainFile(lock=lock)
    with mechanism.create_receiver(address) as receiver:
        context = multiprocessing.get_context("fork")
        start = context.Barrier(2)
        writers = [context.Process(target=_append, args=(mechanism, address, first, start)) for first in (0, APPENDS)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join(60)
            assert writer.exitcode == 0
        return all_of(receiver)


def _append(mechanism: PlainFile, address: Address, first: int, start: multiprocessing.synchronize.Barrier) -> None:
    with mechanism.open_sender(address) as sender:
        start.wait()
        for number in range(first, first + APPENDS):
            sender.send(memoryview(body(number, 100 + number % 100)), 10.0)


@pytest.mark.parametrize("fsync", [False, True])
def test_fsync_is_one_call_a_message_or_none(fsync: bool, address: Address, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    monkeypatch.setattr(os, "fdatasync", calls.append)
    mechanism = PlainFile(fsync=fsync)
    with mechanism.create_receiver(address) as receiver, mechanism.open_sender(address) as sender:
        for number in range(3):
            sender.send(memoryview(body(number, 100)), 1.0)
        assert all_of(receiver) == ([0, 1, 2], 0)
    assert len(calls) == (3 if fsync else 0)


def _sleeps_while_nothing_comes(receiver: FileReceiver) -> int:
    """How often the thread gives its CPU away in one second, after a message was received."""
    buffer = memoryview(bytearray(1 << 20))
    before = resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw
    with pytest.raises(ReceiveTimeout):
        receiver.receive_into(buffer, 1.0)
    return resource.getrusage(resource.RUSAGE_THREAD).ru_nvcsw - before


def test_the_reader_sleeps_until_the_kernel_tells_of_a_change(address: Address) -> None:
    sleeps = {}
    for wait in (Wait.BLOCK, Wait.POLL):
        mechanism = PlainFile(wait=wait)
        with mechanism.create_receiver(address) as receiver, mechanism.open_sender(address) as sender:
            sender.send(memoryview(body(1, 100)), 1.0)
            assert receiver.receive_into(memoryview(bytearray(200)), 1.0) == 100
            sleeps[wait] = _sleeps_while_nothing_comes(receiver)
            assert receiver.waits_by is wait
    assert sleeps[Wait.BLOCK] < 10, "it is woken by what it does itself"
    assert sleeps[Wait.POLL] > 20


def test_a_reader_without_inotify_says_so_and_looks_again_and_again(
    address: Address, caplog: pytest.LogCaptureFixture
) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    lowest = os.open("/dev/null", os.O_RDONLY)
    os.close(lowest)
    resource.setrlimit(resource.RLIMIT_NOFILE, (lowest + 1, hard))  # room for the file, and for nothing else
    try:
        receiver = MECHANISM.create_receiver(address)
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with receiver, MECHANISM.open_sender(address) as sender:
        assert receiver.waits_by is Wait.POLL
        assert "no inotify (EMFILE" in caplog.text
        sender.send(memoryview(body(1, 100)), 1.0)
        assert receiver.receive_into(memoryview(bytearray(200)), 1.0) == 100


@pytest.fixture
def small_volume(tmp_path: Path, address: Address) -> Iterator[Address]:
    """A channel on a volume of 256 KiB."""
    directory = tmp_path / "volume"
    directory.mkdir()
    with mounted(directory, "size=256k"):
        yield replace(address, path=directory / "channel")


def _fill(address: Address) -> tuple[int, str]:
    """Send until there is no room; how many went in, and why no more."""
    with MECHANISM.open_sender(address) as sender:
        for number in range(10_000):
            try:
                sender.send(memoryview(body(number, 5000)), 0)
            except ChannelFull as error:
                return number, error.errno_name
    return -1, ""


def test_a_full_volume_is_counted_and_traffic_resumes_when_it_was_read(small_volume: Address) -> None:
    with MECHANISM.create_receiver(small_volume) as receiver:
        for _ in range(3):
            taken, errno_name = _fill(small_volume)
            assert taken > 10
            assert errno_name == "ENOSPC"
            assert errno_name in MECHANISM.traits.send_errnos
            assert all_of(receiver) == (list(range(taken)), 0)


def test_a_volume_filled_by_others_is_counted_and_traffic_resumes_when_they_go(small_volume: Address) -> None:
    with MECHANISM.create_receiver(small_volume) as receiver:
        hog = small_volume.path.with_name("hog")
        with suppress(OSError), hog.open("wb", buffering=0) as file:
            while file.write(bytes(512)):
                pass
        assert _fill(small_volume)[1] == "ENOSPC"
        hog.unlink()
        with MECHANISM.open_sender(small_volume) as sender:
            sender.send(memoryview(body(7, 5000)), 1.0)
        assert all_of(receiver)[0][-1] == 7


def _try_in_vain(address: Address, size: int) -> None:
    with MECHANISM.open_sender(address) as sender:
        for number in range(IN_VAIN):
            with suppress(ChannelFull):
                sender.send(memoryview(body(number, size)), 0)


def test_what_does_not_fit_is_never_seen_in_part(small_volume: Address) -> None:
    """The kernel writes what fits; the writer takes that back before anybody may look."""
    buffer = memoryview(bytearray(1 << 20))
    with MECHANISM.create_receiver(small_volume) as receiver:
        with MECHANISM.open_sender(small_volume) as sender:
            for number in range(3):
                sender.send(memoryview(body(number, 1000)), 1.0)
        seen = [describe(bytes(buffer[: receiver.receive_into(buffer, 1.0)]))[0] for _ in range(3)]
        writer = multiprocessing.get_context("fork").Process(target=_try_in_vain, args=(small_volume, 1 << 19))
        writer.start()
        while writer.is_alive():
            with suppress(ReceiveTimeout):
                seen.append(describe(bytes(buffer[: receiver.receive_into(buffer, 0)]))[0])
        writer.join()
        assert writer.exitcode == 0
    assert seen == [0, 1, 2]


def test_a_writer_on_a_volume_turned_read_only_is_refused(tmp_path: Path, address: Address) -> None:
    directory = tmp_path / "volume"
    directory.mkdir()
    with mounted(directory, "size=64k"):
        there = replace(address, path=directory / "channel")
        MECHANISM.create_receiver(there).close()
        subprocess.run(["mount", "-o", "remount,ro", str(directory)], check=True)
        with pytest.raises(AccessRefused) as refused:
            MECHANISM.open_sender(there)
    assert refused.value.errno_name == "EROFS"
