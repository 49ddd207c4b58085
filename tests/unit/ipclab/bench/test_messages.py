"""The payload that every language writes, and the account of the sequence numbers that arrived."""

from __future__ import annotations

import random

import pytest

from ipclab.bench.messages import HEADER_BYTES, Tally, pattern_of, payloads_of, place_of


@pytest.mark.parametrize("size", [16, 17, 64, 1000, 1 << 16])
def test_a_payload_is_its_documented_bytes(size: int) -> None:
    payloads = payloads_of(pattern_of(size), size)
    for sequence in (0, 1, 7, 8, 1_000_003):
        expected = bytes((place_of(sequence) + index) % 251 for index in range(size - HEADER_BYTES))
        assert payloads[sequence % 8] == expected


def test_a_payload_differs_from_those_before_it() -> None:
    payloads = payloads_of(pattern_of(64), 64)
    assert len({bytes(payload) for payload in payloads}) == 8


def arrived(numbers: list[int], first: int = 0) -> Tally:
    tally, expected = Tally(), first
    for number in numbers:
        if number == expected:
            tally.received += 1
            expected += 1
        else:
            expected = tally.unexpected(expected, number)
    return tally


def test_numbers_in_their_turn_are_in_order() -> None:
    tally = arrived(list(range(5)))
    assert tally.in_order
    assert (tally.received, tally.missing, tally.reordered, tally.duplicated) == (5, 0, 0, 0)


def test_a_gap_is_missing_until_it_comes_and_then_reordered() -> None:
    assert arrived([0, 3]).missing == 2
    tally = arrived([0, 3, 1])
    assert (tally.received, tally.missing, tally.reordered, tally.duplicated) == (3, 1, 1, 0)
    assert not tally.in_order


def test_a_number_that_came_already_is_duplicated() -> None:
    tally = arrived([0, 1, 1, 0, 2])
    assert (tally.received, tally.missing, tally.reordered, tally.duplicated) == (3, 0, 0, 2)


def test_any_loss_and_any_order_adds_up() -> None:
    order = random.Random(12)
    for _ in range(200):
        kept = [number for number in range(50) if order.random() < 0.8] or [0]
        shuffled = kept.copy()
        order.shuffle(shuffled)
        tally = arrived([*shuffled, 50])
        assert tally.received == len(kept) + 1
        assert tally.missing == 50 - len(kept)


def test_what_of_the_warm_up_arrives_late_counts_nowhere() -> None:
    tally = Tally()
    tally.reset(10)
    assert tally.unexpected(10, 9) == 10
    assert (tally.received, tally.missing, tally.duplicated) == (0, 0, 0)
