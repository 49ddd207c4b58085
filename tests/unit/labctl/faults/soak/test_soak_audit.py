"""The audit of a soak: what a fault explains, what nobody does, and what is missing."""

from __future__ import annotations

from labctl.faults.soak.audit import Book, Cause, Loss, Reading, merged

NOTHING = Reading(sent=100, received=90, lost={"channel": 10, "producer_restart": 0}, duplicate=0, corrupt=0)
KILLED = Cause("kill-producer", frozenset({"producer_restart"}))
GARBAGE = Cause("garbage", frozenset({"channel"}), corrupts=True)


def _reading(sent: int, received: int, channel: int = 10, producer: int = 0, corrupt: int = 0) -> Reading:
    return Reading(sent, received, {"channel": channel, "producer_restart": producer}, 0, corrupt)


def _book() -> Book:
    return Book("fifo", NOTHING)


def test_a_loss_with_a_reason_of_a_fault_that_was_on_is_explained() -> None:
    book = _book()
    book.enter(_reading(1100, 1087, producer=3), [KILLED])
    assert book.losses == [Loss("fifo", "producer_restart", 3, ("kill-producer",))]
    assert book.findings() == []
    assert (book.sent, book.received, book.lost) == (1000, 997, 3)


def test_a_loss_with_another_reason_or_without_a_fault_is_a_finding() -> None:
    book = _book()
    book.enter(_reading(1100, 1085, channel=15), [KILLED])
    book.enter(_reading(1200, 1184, channel=16), [])
    assert book.findings() == [
        "fifo: 5 messages lost (channel), which no fault explains",
        "fifo: 1 messages lost (channel), which no fault explains",
    ]


def test_a_loss_before_the_fault_is_not_its_own() -> None:
    book = _book()
    book.enter(_reading(1100, 1090), [GARBAGE])
    book.enter(_reading(1200, 1185, channel=15), [])
    assert len(book.findings()) == 1


def test_what_is_neither_received_nor_lost_is_a_finding_and_what_is_more_than_sent_too() -> None:
    book = _book()
    book.enter(_reading(1100, 1080), [KILLED])
    assert book.findings() == ["fifo: 10 messages are neither received nor lost"]
    book.enter(_reading(1100, 1091), [KILLED])
    assert book.findings() == ["fifo: 1 more than were sent"]


def test_corrupt_arrivals_need_a_fault_that_writes_garbage() -> None:
    book = _book()
    book.enter(_reading(1100, 1090, corrupt=2), [GARBAGE])
    assert book.findings() == []
    book.enter(_reading(1200, 1190, corrupt=3), [KILLED])
    assert book.findings() == ["fifo: 1 corrupt arrivals, which no fault explains"]
    assert book.as_json()["corrupt"] == 3


def test_what_the_kernel_dropped_without_a_fault_is_explained_up_to_its_own_count() -> None:
    book = _book()
    book.enter(_reading(1100, 1080, channel=20), [])
    book.enter(_reading(1200, 1178, channel=22), [])
    book.explain_drops(11)
    assert [bool(loss.faults) for loss in book.losses] == [True, False]
    assert book.findings() == ["fifo: 2 messages lost (channel), which no fault explains"]


def test_losses_of_one_pair_reason_and_set_of_faults_are_one_entry() -> None:
    losses = [Loss("fifo", "channel", 2, ("cut",)), Loss("fifo", "channel", 3, ("cut",)), Loss("tcp", "channel", 1, ())]
    assert merged(losses) == [Loss("fifo", "channel", 5, ("cut",)), Loss("tcp", "channel", 1, ())]
