"""Many consumers of one mailbox: every number of every producer is accounted for, whoever dies, comes and goes."""

from __future__ import annotations

import tempfile
from collections import deque
from collections.abc import Sequence
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ipclab.accounting.checker import Checker
from ipclab.accounting.ledger import ConsumerLedger, LedgerError
from ipclab.accounting.shared import Account, SharedChecker, Snapshot, lock_mailbox, merge, merge_into_ledger
from support.window import small_window

PRODUCERS = (7, 8)


class Mailbox:
    """A queue, what was put into it, and who took what out: the truth that the accounts must tell."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.shared_ledger = directory / "shared_ledger"
        self.shared_ledger.mkdir()
        self.queue: deque[tuple[int, int]] = deque()
        self.sent = dict.fromkeys(PRODUCERS, 0)
        self.received: dict[int, set[int]] = {producer: set() for producer in PRODUCERS}
        self.lost: dict[int, set[int]] = {producer: set() for producer in PRODUCERS}
        self.consumers: dict[int, SharedChecker] = {}
        self.hands: dict[int, tuple[int, int]] = {}

    def send(self, producer: int) -> None:
        self.queue.append((producer, self.sent[producer]))
        self.sent[producer] += 1

    def start(self, who: int) -> None:
        self.consumers[who] = SharedChecker(self.ledger(who), self.shared_ledger / str(who))

    def ledger(self, who: int) -> ConsumerLedger:
        return ConsumerLedger(self.directory / f"{who}.ledger")

    def take(self, who: int) -> None:
        """Take a message into the hand; the one that was there is entered first."""
        self.enter(who)
        if self.queue:
            self.hands[who] = self.queue.popleft()

    def enter(self, who: int) -> None:
        if hand := self.hands.pop(who, None):
            self.consumers[who].account(hand[0], 1, hand[1])
            self.received[hand[0]].add(hand[1])

    def kill(self, who: int) -> None:
        """With the message in hand, and at once another life."""
        if hand := self.hands.pop(who, None):
            self.lost[hand[0]].add(hand[1])
        self.start(who)

    def die_with_a_message(self, who: int) -> None:
        """Hypothesis seldom finds by itself that a kill hurts only one who has just taken something."""
        self.send(PRODUCERS[who % 2])
        self.take(who)
        self.kill(who)

    def leave(self, who: int) -> None:
        """For good, after the message in hand."""
        self.enter(who)
        del self.consumers[who]

    def account(self, producer: int) -> Account:
        snapshots = {int(p.parent.name): Snapshot.of(p.read_bytes()) for p in self.shared_ledger.glob(f"*/{producer}")}
        return merge(
            self.sent[producer], [n for n in snapshots.values() if n], [snapshots.get(w) for w in self.consumers]
        )

    def drain(self) -> None:
        for _ in range(3):  # all have received a number that is later than what was lost
            for producer in PRODUCERS:
                for _ in self.consumers:
                    self.send(producer)
            for who in [*self.consumers] * 2:
                self.take(who)
        while self.queue:
            for who in self.consumers:
                self.take(who)
        for who in self.consumers:
            self.enter(who)


events = st.one_of(
    st.tuples(st.just("send"), st.sampled_from(PRODUCERS)),
    st.tuples(st.sampled_from(["take", "take", "enter", "kill", "die_with_a_message"]), st.integers(1, 3)),
)


@settings(deadline=None)
@given(st.lists(events, min_size=5, max_size=120), st.integers(0, 5))
def test_the_accounts_of_all_tell_the_truth_at_every_moment(script: Sequence[tuple[str, int]], before: int) -> None:
    with tempfile.TemporaryDirectory() as directory, small_window():
        box = Mailbox(Path(directory))
        alone = Checker(box.ledger(1), ordered=True)  # an earlier time, in which 1 was alone and lost something
        for number in range(0, 2 * before, 2):
            alone.account(7, 1, number)
            box.received[7].add(number)
        box.sent[7] = max(0, 2 * before - 1)
        box.lost[7] = set(range(box.sent[7])) - box.received[7]
        for who in (1, 2, 3):
            box.start(who)
        for event, who in script:
            getattr(box, event)(who)
            for producer in PRODUCERS:
                account = box.account(producer)
                assert account.received == len(box.received[producer])
                assert account.sent == account.received + account.lost + account.on_the_way
                assert account.lost <= len(box.lost[producer])
                assert account.twice == 0
        box.drain()
        for producer in PRODUCERS:
            account = box.account(producer)
            assert (account.received, account.lost) == (len(box.received[producer]), len(box.lost[producer]))
        # Two of them go for good, and 1 is alone again: its own account says the same, and go on.
        for who in (1, 2, 3):
            box.leave(who)
        for _ in range(2):  # a second time changes nothing
            merge_into_ledger(box.ledger(1), box.shared_ledger)
        checker = Checker(box.ledger(1), ordered=True)
        for producer in PRODUCERS:
            checker.account(producer, 1, box.sent[producer])
            stream = box.ledger(1).records[producer].read()
            assert (stream.received, stream.lost) == (len(box.received[producer]) + 1, len(box.lost[producer]))
            assert stream.duplicate == 0


def test_a_consumer_that_is_gone_stays_in_the_accounts(tmp_path: Path) -> None:
    box = Mailbox(tmp_path)
    for who in (1, 2):
        box.start(who)
    for _ in range(10):
        box.send(7)
    for who in (2, 1) * 5:
        box.take(who)
    box.leave(2)
    box.enter(1)
    assert box.account(7) == Account(sent=10, received=10, twice=0, lost=0, on_the_way=0)


def test_what_was_lost_before_the_window_stays_lost(tmp_path: Path) -> None:
    box = Mailbox(tmp_path)
    with small_window():
        for who in (1, 2):
            box.start(who)
        for number in range(3000):
            who = 1 + number % 2
            box.send(7)
            box.take(who)
            if number % 100 == 0:
                box.kill(who)
        box.drain()
        account = box.account(7)
    assert (account.received, account.lost) == (len(box.received[7]), len(box.lost[7]))
    assert account.lost == 30
    assert (account.twice, account.on_the_way) == (0, 0)


def test_twice_is_told_from_once(tmp_path: Path) -> None:
    box = Mailbox(tmp_path)
    for who in (1, 2):
        box.start(who)
        for number in (0, 1, 1 + who):
            box.consumers[who].account(7, 1, number)
    box.consumers[2].account(7, 1, 3)
    box.sent[7] = 4
    assert box.account(7) == Account(sent=4, received=4, twice=3, lost=0, on_the_way=0)


def test_where_messages_overtake_a_gap_is_lost_later(tmp_path: Path) -> None:
    box = Mailbox(tmp_path)
    box.start(1)
    box.consumers[1].account(7, 1, 5)
    (copy,) = [Snapshot.of(path.read_bytes()) for path in box.shared_ledger.glob("*/7")]
    assert copy
    assert [merge(6, [copy], [copy], overtaking=n).lost for n in (0, 3, 100)] == [5, 3, 0]


@pytest.mark.parametrize(("first", "second", "allowed"), [(1, 1, True), (1, 0, False), (0, 1, False), (0, 0, False)])
def test_one_that_is_alone_and_one_that_shares_exclude_each_other(
    tmp_path: Path, first: bool, second: bool, allowed: bool
) -> None:
    lock_mailbox(tmp_path, shared=first)
    if allowed:
        lock_mailbox(tmp_path, shared=second)
    else:
        with pytest.raises(LedgerError, match="--scale"):
            lock_mailbox(tmp_path, shared=second)
