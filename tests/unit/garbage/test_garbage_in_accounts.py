"""Ledgers and notes of received numbers that were damaged: refused where they are opened, or counted on from there.

A ledger that was opened takes every message that may arrive: no count of it leaves its word.
"""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from hypothesis import strategies as st

from ipclab.accounting.checker import Checker
from ipclab.accounting.ledger import ConsumerLedger, LedgerError, NoAccount, ProducerLedger
from ipclab.accounting.message import MAX_SEQUENCE
from ipclab.accounting.shared import Received, SharedChecker, Snapshot, merge, merge_into_ledger
from support.garbage import Garbage, noise

# Words with a meaning to a ledger, and those at the borders of what a word or an index may be.
values = st.one_of(st.sampled_from([0, 1, 2, 63, 64, 2**32, 2**57, 2**62, 2**63, 2**64 - 1]), st.integers(0, 70))
# What a message may say that was sealed: see ipclab.accounting.message.parse.
arrivals = st.lists(
    st.tuples(
        st.sampled_from([5, 6, 7, 2**64 - 1]),
        st.sampled_from([0, 1, 2**64 - 1]),
        st.one_of(st.integers(0, 80), st.sampled_from([MAX_SEQUENCE - 1, MAX_SEQUENCE])),
    ),
    max_size=6,
)


def patches(words: int) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Words of a file, and what they are to be."""
    return st.lists(st.tuples(st.integers(0, words - 1), values), max_size=5)


def patched(sound: bytes, changes: list[tuple[int, int]]) -> bytes:
    """The file with these words."""
    content = bytearray(sound)
    for index, value in changes:
        content[8 * index : 8 * index + 8] = value.to_bytes(8, "little")
    return bytes(content)


def put(path: Path, content: bytes) -> None:
    """A new file: a mapping of the last one may be open."""
    path.unlink(missing_ok=True)
    path.write_bytes(content)


def test_a_damaged_ledger_of_a_consumer_is_refused_or_counts_what_arrives(
    garbage: Garbage, tmp_path: Path, in_memory: Path
) -> None:
    sound = Checker(ConsumerLedger(tmp_path / "sound"), ordered=True)
    for identity, sequence in ((5, 0), (5, 3), (6, 70)):
        sound.account(identity, 1, sequence)
    content = (tmp_path / "sound").read_bytes()

    def reader(damage: tuple[list[tuple[int, int]], bytes, bool, list[tuple[int, int, int]]]) -> None:
        changes, other, ordered, arrived = damage
        for file in (patched(content, changes), other):
            put(in_memory, file)
            with suppress(LedgerError):
                ledger = ConsumerLedger(in_memory)
                checker = Checker(ledger, ordered=ordered, reliable=ordered, gives_back=ordered)
                for producer, epoch, sequence in arrived:
                    with suppress(NoAccount):
                        checker.account(producer, epoch, sequence)
                checker.corrupt()
                for _ in range(10):
                    checker.tick()
                again = ConsumerLedger(in_memory)  # as the next life of the consumer does
                assert {n: r.read() for n, r in again.records.items()} == {
                    n: r.read() for n, r in ledger.records.items()
                }

    garbage(st.tuples(patches(60), noise(content[:400]), st.booleans(), arrivals), reader)


def test_a_damaged_ledger_of_a_producer_is_refused_or_counts_on(
    garbage: Garbage, tmp_path: Path, in_memory: Path
) -> None:
    ProducerLedger(tmp_path / "sound").next_sequence = 70
    content = (tmp_path / "sound").read_bytes()

    def reader(damage: tuple[list[tuple[int, int]], bytes]) -> None:
        changes, other = damage
        for file in (patched(content, changes), other):
            put(in_memory, file)
            with suppress(LedgerError):
                ledger = ProducerLedger(in_memory)
                ledger.next_sequence += 1
                ledger.skipped += 1
                assert ledger.identity

    garbage(st.tuples(patches(4), noise(content)), reader)


def test_damaged_notes_of_received_numbers_are_refused_or_entered_in(
    garbage: Garbage, tmp_path: Path, in_memory: Path
) -> None:
    sound = Received(tmp_path / "sound", 5)
    for sequence in (0, 1, 7, 900):
        sound.enter(sequence)
    content = (tmp_path / "sound").read_bytes()
    numbers = st.lists(st.one_of(st.integers(0, 1000), st.sampled_from([2**40, MAX_SEQUENCE])), max_size=3)

    def reader(damage: tuple[list[tuple[int, int]], list[int]]) -> None:
        changes, sequences = damage
        put(in_memory, patched(content, changes))
        with suppress(LedgerError):
            received = Received(in_memory, 5)
            for sequence in sequences:
                before = received.count + received.duplicates
                received.enter(sequence)
                assert received.count + received.duplicates == before + 1
            assert Snapshot.of(in_memory.read_bytes()) is not None

    garbage(st.tuples(patches(24), numbers), reader)


snapshots = st.builds(
    Snapshot, st.just(5), values, values, values, values, values.map(lambda first: min(first, 2**63)), st.integers(0)
)


def test_notes_of_any_consumers_are_merged(garbage: Garbage) -> None:
    def reader(given: tuple[int, list[Snapshot], list[Snapshot | None]]) -> None:
        sent, noted, running = given
        account = merge(sent, noted, [*noted[:1], *running])
        assert account.sent == sent == account.received + account.lost + account.on_the_way

    someone = st.one_of(st.none(), snapshots)
    garbage(st.tuples(values, st.lists(snapshots, max_size=3), st.lists(someone, max_size=2)), reader)


def test_the_folder_of_received_numbers_is_read_or_refused(garbage: Garbage, tmp_path: Path, in_memory: Path) -> None:
    sound = Received(tmp_path / "sound", 5)
    sound.enter(9)
    content = (tmp_path / "sound").read_bytes()
    folder = in_memory.with_name("of a consumer")
    folder.mkdir()
    names = st.one_of(
        st.sampled_from(["5", "05", "6", "0", "+5", "lock", " 7", "٣", "²", "5_0", str(2**64), "9" * 200]),
        st.text("0123456789abc.-", min_size=1, max_size=6).filter(lambda name: name.strip(".")),
    )
    ledger = ConsumerLedger(tmp_path / "ledger")

    def reader(given: tuple[str, bytes, list[tuple[int, int]]]) -> None:
        name, other, changes = given
        for file in (other, patched(content, changes)):
            put(folder / name, file)
            try:
                with suppress(LedgerError):
                    checker = SharedChecker(ledger, folder)
                    checker.account(5, 1, 3)
                    assert all(stream.expected >= 0 for stream in checker.streams())
                put(in_memory, b"")
                with suppress(LedgerError):
                    merge_into_ledger(ConsumerLedger(in_memory), folder.parent)
            finally:
                for path in folder.iterdir():
                    path.unlink()

    garbage(st.tuples(names, noise(content[:100]), patches(12)), reader)
