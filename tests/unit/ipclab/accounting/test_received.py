"""The numbers of one consumer: every number once, whatever the order, the gaps, the deaths and the window."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipclab.accounting.ledger import LedgerError
from ipclab.accounting.shared import Received, Snapshot
from support.killing import states_of
from support.window import BLOCKS, small_window


def snapshot(path: Path) -> Snapshot:
    found = Snapshot.of(path.read_bytes())
    assert found
    return found


def numbers(found: Snapshot) -> list[int]:
    return [found.first + n for n in range(found.bits.bit_length()) if found.bits >> n & 1]


@given(st.lists(st.integers(0, 3000), max_size=60))
def test_each_number_counts_once_while_it_is_in_the_window(steps: list[int]) -> None:
    with tempfile.TemporaryDirectory() as directory:
        received = Received(Path(directory, "7"), 7)
        for number in steps:
            received.enter(number)
        found = snapshot(Path(directory, "7"))
        assert numbers(found) == sorted(set(steps))
        assert (found.count, found.duplicates) == (len(set(steps)), len(steps) - len(set(steps)))
        assert found.end == max(steps, default=-1) + 1
        assert (received.count, received.duplicates) == (found.count, found.duplicates)


@given(st.lists(st.integers(1, 900), max_size=60))
def test_what_leaves_the_window_is_still_counted(gaps: list[int]) -> None:
    with tempfile.TemporaryDirectory() as directory, small_window():
        path, number, entered = Path(directory, "7"), 0, []
        for gap in gaps:
            number += gap
            Received(path, 7).enter(number)  # each in a life of its own
            entered.append(number)
        if gaps:
            found = snapshot(path)
            assert found.count == len(entered)
            assert numbers(found) == [n for n in entered if n >= found.first]
            assert found.first <= max(0, entered[-1] - 8 * 64 + 64)


def test_a_number_from_before_the_window_is_counted_and_moves_nothing(tmp_path: Path) -> None:
    with small_window():
        received = Received(tmp_path / "7", 7)
        for number in (5, 10_000, 6):
            received.enter(number)
        found = snapshot(tmp_path / "7")
        assert (found.count, numbers(found), found.end) == (3, [10_000], 10_001)


def test_a_floor_is_kept_and_counts_nothing(tmp_path: Path) -> None:
    Received(tmp_path / "7", 7, baseline=1000, received_before=990).enter(1003)
    found = snapshot(tmp_path / "7")
    assert (found.baseline, found.received_before, found.count, found.end) == (1000, 990, 1, 1004)
    assert Received(tmp_path / "8", 8, baseline=1000).count == 0
    assert snapshot(tmp_path / "8").end == 1000


@pytest.mark.parametrize("number", [64 * 8 + 1, 64 * 9, 64 * 30])
def test_a_death_anywhere_leaves_the_number_out_or_in(tmp_path: Path, number: int) -> None:
    path = tmp_path / "7"
    with small_window():
        received = Received(path, 7)
        for before in range(0, 64 * 8, 3):
            received.enter(before)
        count = received.count
        states = states_of(path.read_bytes, lambda: received.enter(number))
        assert len(states) > 1
        seen = []
        for state in states:
            path.write_bytes(state)
            found = snapshot(path)
            seen.append(found.count)
            again = Received(path, 7)
            again.enter(number)
            assert (again.count, snapshot(path).count) == (count + 1, count + 1)
        assert set(seen) == {count, count + 1}
        assert seen == sorted(seen)


def test_a_death_while_the_file_is_made_leaves_none(tmp_path: Path) -> None:
    path = tmp_path / "7"
    with small_window():
        path.write_bytes(bytes(8 * (10 + BLOCKS)))
        for state in states_of(path.read_bytes, lambda: Received(path, 7, baseline=640, received_before=600)):
            path.write_bytes(state)
            assert not any(state[:8]) or snapshot(path).baseline == 640
            Received(path, 7, baseline=640, received_before=600).enter(641)
            assert (snapshot(path).received_before, numbers(snapshot(path))) == (600, [641])


def test_garbage_is_refused(tmp_path: Path) -> None:
    (tmp_path / "7").write_bytes(b"x" * 100_000)
    with pytest.raises(LedgerError):
        Received(tmp_path / "7", 7)
    with pytest.raises(LedgerError):
        snapshot(tmp_path / "7")
