"""What arrives over a channel and is no message of ours: counted or refused, and never delivered as something else."""

from __future__ import annotations

import socket
import struct
from contextlib import nullcontext, suppress
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from hypothesis import strategies as st

from ipclab.accounting import message
from ipclab.building_blocks.framing import TRAILER_BYTES, FrameReader, FrameWriter, trailer
from ipclab.building_blocks.ring import HEADER_BYTES, Ring, bytes_needed
from ipclab.building_blocks.ring_batch import try_read_many, try_write_many
from ipclab.contract.channel import Address, Receiver, Wait
from ipclab.contract.errors import ChannelError
from ipclab.contract.optional_parts import Words
from ipclab.linux.packets import VNET_BYTES, Packet
from ipclab.mechanisms import sysv_mq
from ipclab.mechanisms.plain_file import PlainFile
from ipclab.metrics.http_request import MAX_HEAD_BYTES, BadRequest, parse
from ipclab.metrics.page_reader import labels_in, read_page
from ipclab.pair import race
from ipclab.pair.network_harm import TREATMENTS
from ipclab.pair.race import Side
from support.garbage import Garbage, noise

_MAX = 6000


def sealed(length: int, sequence: int = 7) -> bytes:
    whole = bytearray(length)
    message.seal(memoryview(whole), producer=9, epoch=8, sequence=sequence, due_ns=6, sent_ns=5)
    return bytes(whole)


def test_bytes_are_a_message_only_if_they_are_one_that_was_sealed(garbage: Garbage) -> None:
    sound = [sealed(length) for length in (message.HEADER_BYTES, 100, 300)]

    def reader(arrived: bytes) -> None:
        with suppress(message.CorruptMessage):
            header = message.parse(memoryview(arrived))
            assert header.length == len(arrived)
            again = bytearray(arrived)
            fields = {name: getattr(header, name) for name in ("producer", "epoch", "sequence", "due_ns", "sent_ns")}
            message.seal(memoryview(again), **fields)
            assert again == arrived

    garbage(noise(*sound), reader)


@pytest.mark.parametrize("kind", ["plain", "checked", "marked"])
def test_a_stream_of_garbage_ends_and_delivers_no_altered_message(garbage: Garbage, kind: str) -> None:
    writer = FrameWriter(_MAX, marked=kind == "marked")
    lengths = (0, 60, 5000) if kind == "marked" else (0, 60, 200)
    messages = [bytes([length % 251]) * length for length in lengths]
    frames = [
        b"".join(map(bytes, writer.pieces(memoryview(whole))))
        + (trailer(memoryview(whole)) if kind == "checked" else b"")
        for whole in messages
    ]
    assert TRAILER_BYTES == 4
    buffer = memoryview(bytearray(_MAX))

    def reader(chunks: list[bytes]) -> None:
        frame_reader = FrameReader(_MAX, 100, checked=kind == "checked", marked=kind == "marked")
        arrived = b"".join(chunks)
        delivered = 0
        for chunk in chunks:
            while chunk:
                space = frame_reader.space()
                taken = min(len(space), len(chunk))
                assert taken, "no room for the next bytes"
                space[:taken] = chunk[:taken]
                frame_reader.filled(taken)
                chunk = chunk[taken:]
                while True:
                    try:
                        length = frame_reader.next_into(buffer)
                    except ChannelError:
                        continue
                    if length is None:
                        break
                    assert bytes(buffer[:length]) in arrived
                    delivered += length
        assert delivered <= len(arrived)
        while frame_reader.pending_bytes:
            with suppress(ChannelError):
                frame_reader.end_of_stream()
            with suppress(ChannelError):
                frame_reader.next_into(buffer)

    garbage(st.lists(noise(b"".join(frames), *frames), max_size=5), reader)


def _rings() -> st.SearchStrategy[bytearray]:
    """The memory of a ring, empty or with messages, some words and bytes of which are others."""
    memory = bytearray(bytes_needed(256))
    with_messages = bytearray(memory)
    for target in (memory, with_messages):
        ring = Ring(memoryview(target))
        ring.format()
        if target is with_messages:
            for length in (60, 256, 100):
                assert ring.try_write(memoryview(sealed(length)))
        ring.close()
    words = st.tuples(
        st.integers(0, HEADER_BYTES // 8 + 40), st.sampled_from([0, 1, 7, 8, 64, 2**31, 2**63, 2**64 - 1])
    )
    patches = st.lists(st.tuples(st.integers(0, len(memory) - 1), st.binary(min_size=1, max_size=16)), max_size=4)

    def damaged_ring(damage: tuple[bool, list[tuple[int, int]], list[tuple[int, bytes]]]) -> bytearray:
        full, set_words, set_bytes = damage
        found = bytearray(with_messages if full else memory)
        for index, value in set_words:
            found[8 * index : 8 * index + 8] = value.to_bytes(8, "little")
        for where, patch in set_bytes:
            found[where : where + len(patch)] = patch[: len(found) - where]
        assert len(found) == len(memory)
        return found

    return st.tuples(st.booleans(), st.lists(words, max_size=4), patches).map(damaged_ring)


def test_a_ring_over_garbage_is_refused_or_works_on(garbage: Garbage) -> None:
    def reader(found: bytearray) -> None:
        ring = Ring(memoryview(found))
        buffer = memoryview(bytearray(256))
        try:
            ring.is_sound()
            ring.is_ready()
            for _ in range(8):
                with suppress(ChannelError):
                    ring.try_write(memoryview(sealed(100)))
                with suppress(ChannelError):
                    length = ring.try_read_into(buffer)
                    assert length is None or 0 <= length <= 256
                with suppress(ChannelError):
                    borrowed = ring.try_borrow()
                    if borrowed is not None:
                        borrowed.release()
                        ring.release()
        finally:
            ring.close()

    garbage(_rings(), reader)


def test_batches_in_a_ring_over_garbage_are_refused_or_go_on(garbage: Garbage) -> None:
    def reader(found: bytearray) -> None:
        ring = Ring(memoryview(found))
        block, into = memoryview(sealed(64) * 5), memoryview(bytearray(64 * 5))
        try:
            for _ in range(8):
                with suppress(ChannelError):
                    assert 0 <= try_write_many(ring, block, 64) <= 5
                with suppress(ChannelError):
                    assert 0 <= try_read_many(ring, into, 64) <= 5
        finally:
            ring.close()

    garbage(_rings(), reader)


def test_a_packet_of_garbage_is_sent_on_or_treated(garbage: Garbage) -> None:
    ip = struct.pack("!BBHHHBBH8s", 0x45, 0, 60, 1, 0x4000, 64, socket.IPPROTO_TCP, 0, bytes(range(8)))
    tcp = struct.pack("!HHIIBBHHH", 40000, 9000, 1, 2, 0x50, 0x18, 502, 0, 0)
    sound = bytes(12) + b"\x08\x00" + ip + tcp + bytes(range(20))

    def reader(frame: bytes) -> None:
        packet = Packet(bytes(VNET_BYTES), frame)
        if not packet.is_ipv4:
            return  # as ipclab.linux.link does
        assert packet.destination.count(".") == packet.source.count(".") == 3
        for name, treatment in TREATMENTS.items():
            for _, treated in treatment(7)(packet):
                assert treated.is_ipv4
                assert name in ("slice", "reset") or treated == packet
                treated.to(bytes(6), bytes(6))

    garbage(noise(sound, sound[:40]), reader)


def test_a_request_is_refused_or_waited_for_or_a_get(garbage: Garbage) -> None:
    sound = [
        b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n",
        b"GET / HTTP/1.0\r\n\r\nGET / HTTP/1.0\r\n\r\n",
        b"GET /metrics HTTP/1.1\r\nhost: 10.0.0.1:9464\r\nContent-Length: 0\r\nAccept: text/plain;q=0.5\r\n\r\n",
    ]

    def reader(received: bytes) -> None:
        with suppress(BadRequest):
            request = parse(received)
            if request is None:
                assert len(received) < MAX_HEAD_BYTES
            else:
                assert received[: request.length].endswith(b"\r\n\r\n")
                assert received.startswith(b"GET ")

    garbage(noise(*sound), reader)


@pytest.mark.parametrize("side", Side)
def test_a_race_goes_on_with_any_words(garbage: Garbage, monkeypatch: pytest.MonkeyPatch, side: Side) -> None:
    monkeypatch.setattr(race, "BURST_NS", 0)
    monkeypatch.setattr(race, "MEET_NS", 0)
    magic = int.from_bytes(b"IPCRACE1", "little")
    any_word = st.sampled_from([0, 1, 7, 14, 15, 2**32, 2**63, 2**64 - 2, 2**64 - 1])
    changes = st.lists(st.tuples(st.integers(1, race.WORDS - 1), any_word), max_size=6)

    def reader(given: tuple[int, list[tuple[int, int]]]) -> None:
        words = [given[0], *[0] * (race.WORDS - 1)]
        for at, value in given[1]:
            words[at] = value

        def store(index: int, value: int) -> None:
            words[index] = int.from_bytes(value.to_bytes(8, "little"), "little")

        held = SimpleNamespace(load=words.__getitem__, store=store, try_lock=lambda: True, unlock=lambda: None)
        with suppress(ChannelError):
            one = race.Race(cast(Words, held), side)
            for number in (7, 8):
                words[4 + (1 - side)] = number  # the other side has arrived
                one.run_round(number)
                seen = one.snapshot(number)
                assert seen is None or seen.number == number

    garbage(st.tuples(st.sampled_from([0, 1, magic]), changes), reader)


def test_any_page_of_another_container_has_labels_or_none(garbage: Garbage) -> None:
    sound = b'# TYPE ipc_a gauge\nipc_a{x="1",y="of }"} 2\nipc_a{x="3"} 4\n'

    def reader(page: bytes) -> None:
        for labels in labels_in(page.decode("utf-8", "replace"), "ipc_a"):
            assert all(isinstance(value, str) for value in labels.values())

    garbage(noise(sound), reader)


def test_a_plain_file_of_garbage_is_refused_or_read_on(garbage: Garbage, in_memory: Path) -> None:
    address = Address(0, in_memory, "", 0)
    mechanism = PlainFile(wait=Wait.POLL)
    with mechanism.create_receiver(address) as receiver, mechanism.open_sender(address) as sender:
        for length in (60, 200):
            sender.send(memoryview(sealed(length)), 1.0)
        sound = in_memory.read_bytes()
        receiver.remove()
    positions = st.sampled_from([0, 1, 15, 16, 17, 84, len(sound), len(sound) + 1, 2**31, 2**63 - 1, 2**63, 2**64 - 1])
    buffer = memoryview(bytearray(_MAX))

    def reader(given: tuple[bytes, int, bytes]) -> None:
        content, position, meanwhile = given
        for file in (content, sound[:8] + position.to_bytes(8, "little") + sound[16:]):
            in_memory.write_bytes(file)
            with suppress(ChannelError), mechanism.create_receiver(address) as receiver:
                _receive_all(receiver, buffer)
                with suppress(ChannelError), mechanism.open_sender(address) as sender:
                    sender.send(memoryview(sealed(100)), 0.0)
                    in_memory.write_bytes(meanwhile)  # another program writes to it
                    _receive_all(receiver, buffer)
                    sender.send(memoryview(sealed(100)), 0.0)

    garbage(st.tuples(noise(sound, sound[:100]), positions, noise(sound)), reader)


def _receive_all(receiver: Receiver, buffer: memoryview) -> None:
    for _ in range(6):
        with suppress(ChannelError):
            assert receiver.receive_into(buffer, 0.0) <= _MAX


def test_a_question_in_a_system_v_queue_is_torn_or_has_somebody_to_answer_to(
    garbage: Garbage, monkeypatch: pytest.MonkeyPatch
) -> None:
    queue = SimpleNamespace(key=0x1234)
    answerer = sysv_mq.SysvMqAnswerer(cast(Any, queue), 300)
    buffer = memoryview(bytearray(300))
    arrived, sent = (b"", 2), [0]
    monkeypatch.setattr(sysv_mq, "take", lambda *_: arrived)
    monkeypatch.setattr(sysv_mq, "put", lambda _queue, _payload, type_, _timeout_s: sent.append(type_))
    monkeypatch.setattr(sysv_mq, "discard", lambda *_: None)

    def reader(given: tuple[bytes, int]) -> None:
        nonlocal arrived
        arrived = given
        with suppress(ChannelError):
            length = answerer.receive_into(buffer, 0.0)
            answerer.reply(buffer[:length], 0.0)
            assert 0 < sent[-1] < 2**32
        answerer.close()

    reader((b"abc", 2))
    garbage(st.tuples(noise(b"\x01\0\0\x40question"), st.sampled_from([1, 2])), reader)


def test_an_answer_of_another_container_is_a_page_or_none(garbage: Garbage, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = [b""]
    connection = SimpleNamespace(sendall=lambda _: None, recv=lambda _: answer.pop())
    monkeypatch.setattr(socket, "create_connection", lambda *_: nullcontext(connection))

    def reader(content: bytes) -> None:
        answer[:] = [b"", content] if content else [b""]
        with suppress(ValueError):
            read_page("responder", 9464, 1.0).encode()

    reader(b"HTTP/1.0 200 OK\r\ncontent-length: " + b"9" * 5000 + b"\r\n\r\n")
    garbage(noise(b"HTTP/1.0 200 OK\r\nContent-Length: 9\r\n\r\nipc_a 1\n\n", b"HTTP/1.0 503 Busy\r\n\r\n"), reader)
