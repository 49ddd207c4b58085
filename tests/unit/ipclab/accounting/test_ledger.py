from __future__ import annotations

import mmap
import os
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ipclab.accounting.checker import Checker
from ipclab.accounting.ledger import (
    MOST_COUNTED,
    STREAMS,
    ConsumerLedger,
    LedgerError,
    NoAccount,
    ProducerLedger,
    Stream,
    producer_in,
    streams_in,
)
from support.killing import states_of

counts = st.integers(0, MOST_COUNTED // 4)  # four of them are added: what is missing and lost


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "some.ledger"


def reopened(state: bytes, path: Path) -> Path:
    """What the next life finds."""
    copy = path.with_name("copy.ledger")
    copy.write_bytes(state)
    return copy


# --- across lives -------------------------------------------------------------------------------------


def test_a_new_producer_draws_an_identity_and_begins_at_zero(tmp_path: Path) -> None:
    ledgers = [ProducerLedger(tmp_path / str(n)) for n in range(20)]
    assert len({ledger.identity for ledger in ledgers}) == 20
    assert all(0 < ledger.identity < 2**63 for ledger in ledgers)
    assert {(ledger.next_sequence, ledger.skipped) for ledger in ledgers} == {(0, 0)}


def test_a_producer_goes_on_where_it_stopped(path: Path) -> None:
    first = ProducerLedger(path)
    first.next_sequence = 12
    first.skipped = 3
    second = ProducerLedger(path)
    assert (second.identity, second.next_sequence, second.skipped) == (first.identity, 12, 3)


@given(values=st.lists(st.tuples(*[counts] * 8), min_size=1, max_size=5))
def test_a_consumer_reads_back_what_it_wrote(
    tmp_path_factory: pytest.TempPathFactory, values: list[tuple[int, ...]]
) -> None:
    path = tmp_path_factory.mktemp("ledger") / "consumer.ledger"
    ledger = ConsumerLedger(path)
    for producer, value in enumerate(values, start=1):
        ledger.record_of(producer).write(Stream(*value))
    ledger.corrupt = 9
    again = ConsumerLedger(path)
    assert {producer: record.read() for producer, record in again.records.items()} == {
        producer: Stream(*value) for producer, value in enumerate(values, start=1)
    }
    assert again.corrupt == 9


def test_advance_is_a_write_of_expected_alone(path: Path) -> None:
    record = ConsumerLedger(path).record_of(5)
    for turn in range(4):  # both copies have their turn
        record.write(Stream(1, 10 * turn, 3, 4, 5, 6, 7, 8))
        record.advance(10 * turn + 1)
        expected = Stream(1, 10 * turn + 1, 3, 4, 5, 6, 7, 8)
        assert record.read() == expected
        assert ConsumerLedger(path).records[5].read() == expected


def test_a_new_life_advances_the_copy_that_counts(path: Path) -> None:
    for turn in range(1, 5):
        record = ConsumerLedger(path).record_of(5)
        assert record.read().expected == 2 * (turn - 1)
        record.write(Stream(turn, 2 * turn - 1, 0, 0, 0, 0, 0, 0))
        ConsumerLedger(path).records[5].advance(2 * turn)


def test_a_stream_knows_what_it_received() -> None:
    stream = Stream(
        epoch=1,
        expected=100,
        missing=1,
        lost_in_channel=2,
        lost_at_producer_restart=4,
        lost_at_consumer_restart=8,
        duplicate=16,
        reordered=32,
    )
    assert (stream.lost, stream.received) == (14, 85)


def test_more_producers_than_there_is_room_for(path: Path) -> None:
    ledger = ConsumerLedger(path)
    for producer in range(1, STREAMS + 1):
        ledger.record_of(producer).advance(producer)
    with pytest.raises(NoAccount, match=f"one more than the {STREAMS} that have accounts"):
        ledger.record_of(STREAMS + 1)
    again = ConsumerLedger(path)
    assert [record.read().expected for record in again.records.values()] == list(range(1, STREAMS + 1))
    assert again.record_of(STREAMS).read().expected == STREAMS


# --- death between any two stores ---------------------------------------------------------------------

OLD = Stream(1, 50, 2, 3, 4, 5, 6, 7)
NEW = Stream(2, 60, 1, 13, 14, 15, 16, 17)


@pytest.mark.parametrize("writes_before", [0, 1, 2])
def test_a_consumer_killed_anywhere_in_a_write_has_the_old_record_or_the_new(path: Path, writes_before: int) -> None:
    ledger = ConsumerLedger(path)
    ledger.record_of(4).write(OLD)
    record = ledger.record_of(5)
    for _ in range(writes_before):
        record.write(OLD)
    before = record.read()
    states = states_of(path.read_bytes, lambda: record.write(NEW))
    assert len(states) > len(Stream._fields)
    found = []
    for state in states:
        records = ConsumerLedger(reopened(state, path)).records
        assert records[4].read() == OLD
        found.append(records[5].read())
    changes_at = found.index(NEW)
    assert found == [before] * changes_at + [NEW] * (len(states) - changes_at)


def test_a_consumer_killed_anywhere_in_the_first_message_of_a_producer_knows_it_or_not(path: Path) -> None:
    ledger = ConsumerLedger(path)
    ledger.record_of(4).write(OLD)
    for state in states_of(path.read_bytes, lambda: ledger.record_of(5).write(NEW)):
        again = ConsumerLedger(reopened(state, path))
        assert again.records[4].read() == OLD
        assert again.record_of(5).read() in (Stream(*[0] * 8), NEW)


def test_a_consumer_killed_anywhere_in_the_accounting_has_accounted_or_not(path: Path) -> None:
    checker = Checker(ConsumerLedger(path), ordered=False)
    received = 0
    for epoch, sequence in [(1, 0), (1, 1), (1, 5), (1, 3), (1, 3), (1, 6), (2, 9), (2, 10)]:
        duplicate = (epoch, sequence) == (1, 3) and received == 4

        def account(epoch: int = epoch, sequence: int = sequence) -> None:
            checker.account(8, epoch, sequence)

        for state in states_of(path.read_bytes, account):
            for record in ConsumerLedger(reopened(state, path)).records.values():
                stream = record.read()
                assert received <= stream.received <= received + 1
                assert stream.received + stream.lost + stream.missing == stream.expected
        received += not duplicate
        (stream,) = checker.streams()
        assert stream.received == received


def test_a_producer_killed_anywhere_while_it_makes_the_file_has_one_afterwards(path: Path) -> None:
    path.write_bytes(bytes(32))
    for state in states_of(path.read_bytes, lambda: ProducerLedger(path)):
        copy = reopened(state, path)
        again = ProducerLedger(copy)
        assert again.identity > 0
        assert (again.next_sequence, again.skipped) == (0, 0)
        assert ProducerLedger(copy).identity == again.identity


# --- kill -9 of a real process ------------------------------------------------------------------------


def progress_words(path: Path) -> memoryview:
    """One word that the child counts up after each update, seen by both processes."""
    path.write_bytes(bytes(8))
    with path.open("r+b") as file:
        return memoryview(mmap.mmap(file.fileno(), 8)).cast("Q")


CHILD = """
import mmap, sys
from pathlib import Path
from ipclab.accounting.checker import Checker
from ipclab.accounting.ledger import ConsumerLedger, ProducerLedger

what, ledger, progress = sys.argv[1:]
with open(progress, "r+b") as file:
    done = memoryview(mmap.mmap(file.fileno(), 8)).cast("Q")
if what == "consumer":
    checker = Checker(ConsumerLedger(Path(ledger)), ordered=True)
    for n in range(1 << 40):
        checker.account(7, 1 + n // 50, n + n // 7 * 2)
        done[0] = n + 1
else:
    producer = ProducerLedger(Path(ledger))
    for n in range(1 << 40):
        producer.next_sequence = n + 1
        done[0] = n + 1
"""


def kill_in_the_middle(what: str, path: Path, after: int) -> int:
    """Run the child until it did `after` updates, kill it, and return how many it did."""
    progress = path.with_suffix(".progress")
    done = progress_words(progress)
    command = [sys.executable, "-c", CHILD, what, str(path), str(progress)]
    with subprocess.Popen(command) as child:
        deadline = time.monotonic() + 30
        while done[0] < after:
            assert child.poll() is None, "the child ended by itself"
            assert time.monotonic() < deadline
        child.kill()
        assert child.wait() == -signal.SIGKILL
    return int(done[0])


@pytest.mark.parametrize("after", [1, 2000, 5001])
def test_the_account_of_a_consumer_after_kill_9(path: Path, after: int) -> None:
    """Two numbers of nine are left out, and every 50 messages another epoch begins: most updates are writes."""
    done = kill_in_the_middle("consumer", path, after)
    (record,) = ConsumerLedger(path).records.values()
    stream = record.read()

    def account_after(messages: int) -> tuple[int, int, int, int]:
        last = messages - 1
        expected = last + last // 7 * 2 + 1
        return 1 + last // 50, expected, expected - messages, messages

    found = (stream.epoch, stream.expected, stream.lost, stream.received)
    assert found in (account_after(done), account_after(done + 1))
    assert stream.missing == stream.duplicate == stream.reordered == stream.lost_at_consumer_restart == 0
    assert done >= after


def test_the_number_of_a_producer_after_kill_9(path: Path) -> None:
    identity = ProducerLedger(path).identity
    done = kill_in_the_middle("producer", path, 3000)
    again = ProducerLedger(path)
    assert again.identity == identity
    assert again.next_sequence in (done, done + 1)


# --- files that cannot be used ------------------------------------------------------------------------


def test_garbage_behind_a_good_beginning_is_a_ledger_error(path: Path) -> None:
    ledger = ConsumerLedger(path)
    ledger.record_of(4).write(OLD)
    ledger.record_of(5).write(OLD)
    content = bytearray(path.read_bytes())
    for record in (0, 1):
        for value in (2, 7_777_777, 2**64 - 1):
            selector = 8 * (2 + record * (2 + 2 * len(OLD)) + 1)
            damaged = content[:selector] + value.to_bytes(8, "little") + content[selector + 8 :]
            with pytest.raises(LedgerError, match="is not one of ours; remove it"):
                ConsumerLedger(reopened(bytes(damaged), path))
    assert ConsumerLedger(reopened(bytes(content), path)).records[5].read() == OLD


def test_the_ledger_of_the_other_role_is_not_ours(path: Path) -> None:
    ProducerLedger(path)
    with pytest.raises(LedgerError, match="is not one of ours; remove it"):
        ConsumerLedger(path)
    path.unlink()
    ConsumerLedger(path).record_of(5).advance(1)
    with pytest.raises(LedgerError, match="is not one of ours; remove it"):
        ProducerLedger(path)


@pytest.mark.parametrize("kind", [ProducerLedger, ConsumerLedger])
class TestUnusableFiles:
    def test_garbage(self, path: Path, kind: type[ProducerLedger | ConsumerLedger]) -> None:
        garbage = b"This is the diary of somebody else, and long enough for any ledger. " * 400
        path.write_bytes(garbage)
        with pytest.raises(LedgerError, match=f"{path} is not one of ours; remove it"):
            kind(path)
        assert path.read_bytes() == garbage

    def test_no_such_directory(self, path: Path, kind: type[ProducerLedger | ConsumerLedger]) -> None:
        with pytest.raises(LedgerError, match=r"absent/some\.ledger: No such file or directory"):
            kind(path.parent / "absent" / path.name)

    def test_a_directory_in_its_place(self, path: Path, kind: type[ProducerLedger | ConsumerLedger]) -> None:
        path.mkdir()
        with pytest.raises(LedgerError, match="Is a directory"):
            kind(path)

    def test_a_directory_that_may_not_be_written(self, path: Path, kind: type[ProducerLedger | ConsumerLedger]) -> None:
        path.parent.chmod(0o500)
        with without_root(), pytest.raises(LedgerError, match="Permission denied"):
            kind(path)
        assert not path.exists()

    def test_no_space(self, path: Path, kind: type[ProducerLedger | ConsumerLedger]) -> None:
        """The kernel refuses the blocks when the file is made, and not with SIGBUS at the first store."""
        with no_file_over(16), pytest.raises(LedgerError, match="File too large"):
            kind(path)
        kind(path)  # there is room again

    def test_a_file_cut_short_is_filled_up(self, path: Path, kind: type[ProducerLedger | ConsumerLedger]) -> None:
        kind(path)
        with path.open("r+b") as file:
            file.truncate(8)
        again = kind(path)
        assert path.stat().st_size > 8
        if isinstance(again, ProducerLedger):
            assert again.identity == ProducerLedger(path).identity > 0


@contextmanager
def without_root() -> Iterator[None]:
    """Root may write everywhere; be somebody else for a while."""
    user = os.geteuid()
    if user == 0:
        os.seteuid(65534)
    try:
        yield
    finally:
        if user == 0:
            os.seteuid(0)


@contextmanager
def no_file_over(size: int) -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def test_a_ledger_is_its_owners_alone(path: Path) -> None:
    ProducerLedger(path)
    assert path.stat().st_mode & 0o777 == 0o600


def test_copies_of_ledgers_are_read_without_mapping_them(tmp_path: Path) -> None:
    own = ProducerLedger(tmp_path / "producer")
    own.next_sequence, own.skipped = 12, 3
    assert producer_in((tmp_path / "producer").read_bytes()) == (own.identity, 12, 3)
    consumer = ConsumerLedger(tmp_path / "consumer")
    for producer in (7, 8):
        record = consumer.record_of(producer)
        record.write(record.read()._replace(expected=producer * 10, duplicate=1))
    assert streams_in((tmp_path / "consumer").read_bytes()) == {
        producer: record.read() for producer, record in consumer.records.items()
    }
    for garbage in (b"", b"short", b"x" * 4096):
        for read in (producer_in, streams_in):
            with pytest.raises(LedgerError):
                read(garbage)
