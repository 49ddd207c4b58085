from __future__ import annotations

import random
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipclab.speedup.messages import KINDS, MESSAGE_BYTES, Left, Message, NotAMessage, Ready, Stop, Task, decode, encode

words = st.integers(0, 2**64 - 1)
messages = st.sampled_from(KINDS).flatmap(
    lambda kind: st.lists(words, min_size=len(kind._fields), max_size=len(kind._fields)).map(kind._make)
)


@given(message=messages)
def test_round_trip(message: Message) -> None:
    payload = encode(message)
    assert len(payload) == MESSAGE_BYTES
    again = decode(payload)
    assert again == message
    assert type(again) is type(message)


def test_the_layout_on_the_wire_is_the_documented_one() -> None:
    task = encode(Task(round=1, number=2, low=3, high=0x0405))
    expected = b"IPCS" + (1).to_bytes(4, "little")
    expected += b"".join(word.to_bytes(8, "little") for word in (1, 2, 3, 0x0405, 0, 0))
    assert task == expected
    assert len(expected) == MESSAGE_BYTES == 56


def test_kinds_with_the_same_fields_are_told_apart() -> None:
    assert {type(decode(encode(message))) for message in (Ready(1), Left(1), Stop())} == {Ready, Left, Stop}


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        (b"", "0 bytes"),
        (bytes(encode(Ready(1)))[:-1], "55 bytes"),
        (bytes(encode(Ready(1))) + b"!", "57 bytes"),
        (b"IPCL" + bytes(encode(Ready(1)))[4:], "magic b'IPCL'"),
        (struct.pack("<4sI6Q", b"IPCS", len(KINDS), *6 * (0,)), "kind 5"),
    ],
)
def test_what_is_no_message_is_named(payload: bytes, says: str) -> None:
    with pytest.raises(NotAMessage, match=says):
        decode(memoryview(payload))


def test_ten_thousand_pieces_of_garbage_raise_nothing_else() -> None:
    chance = random.Random(20_261_122)
    accepted = 0
    for _ in range(10_000):
        payload = bytearray(chance.randbytes(chance.choice((MESSAGE_BYTES, chance.randrange(100)))))
        if chance.random() < 0.5:
            payload[:8] = b"IPCS" + chance.randrange(10).to_bytes(4, "little")
        try:
            message = decode(memoryview(payload))
        except NotAMessage:
            continue
        accepted += 1
        assert bytes(encode(message))[:8] == payload[:8]
    assert accepted > 1000  # the generator also reaches the far side of every check
