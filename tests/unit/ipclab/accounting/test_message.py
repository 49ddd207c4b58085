from __future__ import annotations

import random
import zlib

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from ipclab.accounting import message
from ipclab.accounting.message import HEADER_BYTES, CorruptMessage, Header

u64 = st.integers(0, 2**64 - 1)
producers = st.integers(1, 2**64 - 1)
sequences = st.integers(0, 2**63 - 1)
bodies = st.binary(max_size=300)


def sealed(body: bytes, *, producer: int = 3, sequence: int = 7) -> bytearray:
    whole = bytearray(HEADER_BYTES) + body
    message.seal(memoryview(whole), producer=producer, epoch=5, sequence=sequence, due_ns=11, sent_ns=13)
    return whole


def crc_of(whole: bytes | bytearray) -> int:
    """The checksum as the documentation has it: over everything but itself."""
    return zlib.crc32(whole[:52] + whole[56:])


def body_with_crc(head: bytes, target: int) -> bytes:
    """Four bytes after `head` that make the CRC-32 of both `target`: CRC is affine, so solve for 32 bits."""
    zero = zlib.crc32(head + bytes(4))
    rows: list[tuple[int, int]] = []  # (what these body bits change, the body bits), each with its own top bit
    for bit in range(32):
        change, chosen = zlib.crc32(head + (1 << bit).to_bytes(4, "little")) ^ zero, 1 << bit
        for other_change, other_chosen in rows:
            if change ^ other_change < change:
                change, chosen = change ^ other_change, chosen ^ other_chosen
        rows.append((change, chosen))
        rows.sort(reverse=True)
    left, body = target ^ zero, 0
    for change, chosen in rows:
        if left ^ change < left:
            left, body = left ^ change, body ^ chosen
    assert left == 0
    return body.to_bytes(4, "little")


def test_the_layout_on_the_wire_is_the_documented_one() -> None:
    whole = bytearray(HEADER_BYTES) + b"body"
    message.seal(memoryview(whole), producer=0x0102, epoch=0x0304, sequence=0x0506, due_ns=0x0708, sent_ns=0x090A)
    expected = (
        b"IPCL"
        + (1).to_bytes(4, "little")
        + b"".join(v.to_bytes(8, "little") for v in (0x0102, 0x0304, 0x0506, 0x0708, 0x090A))
        + (60).to_bytes(4, "little")
    )
    assert whole[:52] == expected
    assert int.from_bytes(whole[52:56], "little") == zlib.crc32(expected + b"body")
    assert whole[56:] == b"body"


@given(producer=producers, epoch=u64, sequence=sequences, due=u64, sent=u64, body=bodies)
def test_round_trip(producer: int, epoch: int, sequence: int, due: int, sent: int, body: bytes) -> None:
    whole = bytearray(HEADER_BYTES) + body
    message.seal(memoryview(whole), producer=producer, epoch=epoch, sequence=sequence, due_ns=due, sent_ns=sent)
    header = message.parse(memoryview(bytes(whole)))
    assert header[2:8] == (producer, epoch, sequence, due, sent, HEADER_BYTES + len(body))
    assert header.checksum == crc_of(whole)
    assert whole[HEADER_BYTES:] == body


def test_sealing_again_forgets_the_message_before() -> None:
    whole = sealed(b"x" * 20, sequence=1)
    message.seal(memoryview(whole), producer=3, epoch=5, sequence=2, due_ns=11, sent_ns=13)
    assert whole == sealed(b"x" * 20, sequence=2)


def test_every_flip_of_every_byte_of_one_message_is_caught() -> None:
    whole = sealed(bytes(range(40)))
    view = memoryview(whole)
    for position in range(len(whole)):
        for flip in range(1, 256):
            whole[position] ^= flip
            with pytest.raises(CorruptMessage):
                message.parse(view)
            whole[position] ^= flip
    assert message.parse(view).sequence == 7


@given(body=bodies, sequence=sequences, where=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_a_flip_of_any_byte_of_any_message_is_caught(body: bytes, sequence: int, where: float, flip: int) -> None:
    whole = sealed(body, sequence=sequence)
    whole[int(where * len(whole))] ^= flip
    with pytest.raises(CorruptMessage):
        message.parse(memoryview(whole))


@given(body=bodies, where=st.floats(0, 1, exclude_max=True))
def test_a_cut_message_is_caught_at_every_length(body: bytes, where: float) -> None:
    whole = sealed(body)
    with pytest.raises(CorruptMessage):
        message.parse(memoryview(whole)[: int(where * len(whole))])


@given(body=bodies, more=st.binary(min_size=1, max_size=80))
def test_a_message_with_bytes_behind_it_is_caught(body: bytes, more: bytes) -> None:
    with pytest.raises(CorruptMessage):
        message.parse(memoryview(sealed(body) + more))


@given(first=st.binary(min_size=8, max_size=200), second=st.binary(min_size=8, max_size=200), data=st.data())
def test_a_mix_of_two_messages_is_caught(first: bytes, second: bytes, data: st.DataObject) -> None:
    one, other = sealed(first, sequence=1), sealed(second, sequence=2)
    cut = data.draw(st.integers(1, min(len(one), len(other)) - 1))
    mix = one[:cut] + other[cut:]
    if mix not in (one, other):
        with pytest.raises(CorruptMessage):
            message.parse(memoryview(mix))


@given(body=bodies, begin=st.integers(0, 55), length=st.integers(1, 80))
@example(body=b"x" * 20, begin=52, length=18)  # the checksum and what follows
@example(body=b"x" * 20, begin=52, length=4)  # the checksum alone
def test_damage_cannot_switch_the_checksum_off(body: bytes, begin: int, length: int) -> None:
    """A hole of zeros, as a lost page or a torn write leaves it."""
    whole = sealed(body)
    hole = whole[:begin] + bytes(len(whole[begin : begin + length])) + whole[begin + length :]
    if hole != whole:
        with pytest.raises(CorruptMessage):
            message.parse(memoryview(hole))


@pytest.mark.parametrize("value", [0, 1, 2**32 - 1])
def test_a_checksum_of_0_is_a_value_like_any_other(value: int) -> None:
    head = bytes(sealed(bytes(4))[:52])
    body = body_with_crc(head, value)
    assert zlib.crc32(head + body) == value
    whole = sealed(body)
    assert message.parse(memoryview(whole)).checksum == value
    for position in range(len(whole)):
        whole[position] ^= 1
        with pytest.raises(CorruptMessage):
            message.parse(memoryview(whole))
        whole[position] ^= 1


@pytest.mark.parametrize("producer", [1, 2**64 - 1])
@pytest.mark.parametrize("sequence", [0, 2**63 - 1])
def test_the_first_and_the_last_producer_and_number(producer: int, sequence: int) -> None:
    header = message.parse(memoryview(sealed(b"body", producer=producer, sequence=sequence)))
    assert (header.producer, header.sequence) == (producer, sequence)


@pytest.mark.parametrize(("producer", "sequence"), [(0, 7), (3, 2**63), (3, 2**64 - 1), (0, 2**64 - 1)])
def test_a_producer_and_a_number_that_nobody_has_are_corrupt(producer: int, sequence: int) -> None:
    whole = sealed(b"body", producer=producer, sequence=sequence)
    with pytest.raises(CorruptMessage, match=f"no producer of ours: {producer}, sequence {sequence}"):
        message.parse(memoryview(whole))


@pytest.mark.parametrize(
    ("damage", "complaint"),
    [
        (lambda m: m[:55], "55 bytes are fewer than a header of 56"),
        (lambda m: b"JPCL" + m[4:], "magic 0x4c43504a"),
        (lambda m: m[:4] + b"\2" + m[5:], "version 2"),
        (lambda m: m + b"!", "the header says 60 bytes, 61 arrived"),
        (lambda m: m[:-1] + b"!", "checksum of sequence 7 "),
    ],
)
def test_the_complaint_names_what_is_wrong(damage: object, complaint: str) -> None:
    assert callable(damage)
    with pytest.raises(CorruptMessage, match=complaint):
        message.parse(memoryview(damage(bytes(sealed(b"body")))))


def test_twenty_thousand_damaged_or_invented_messages_raise_nothing_else() -> None:
    chance = random.Random(20_261_122)
    accepted = invented = 0
    for _ in range(20_000):
        body = chance.randbytes(chance.randrange(120))
        if chance.random() < 0.5:  # invented, behind a header that gets past the first checks
            head = message.HEADER.pack(
                message.MAGIC,
                message.VERSION,
                chance.choice((0, chance.getrandbits(64), chance.getrandbits(64))),
                *(chance.getrandbits(64) for _ in range(4)),
                HEADER_BYTES + len(body) + chance.choice((0, 0, 0, 1, -1, 1 << 31)),
                0,
            )
            crc = chance.choice((0, 1, chance.getrandbits(32), crc_of(head + body), crc_of(head + body)))
            arrived = head[:52] + crc.to_bytes(4, "little") + body
            arrived = arrived[: chance.choice((None, None, chance.randrange(200)))]
        else:
            arrived = bytes(sealed(body))
            for _ in range(chance.randrange(4)):
                begin = chance.randrange(len(arrived) + 1)
                end = min(len(arrived), begin + chance.randrange(9))
                arrived = arrived[:begin] + chance.randbytes(chance.randrange(9)) + arrived[end:]
        try:
            header = message.parse(memoryview(arrived))
        except CorruptMessage:
            continue
        accepted += 1
        invented += header.epoch != 5
        assert isinstance(header, Header)
        assert header.length == len(arrived)
        assert header.checksum == crc_of(arrived)
        assert header.producer
        assert header.sequence < 2**63
    assert accepted > 1000  # the generator also reaches the far side of every check
    assert invented > 300
