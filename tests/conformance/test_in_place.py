"""Loan and commit, borrow and release: what a channel of memory that both sides map can do, and no other one."""

from __future__ import annotations

from itertools import count
from typing import Any

import pytest

from conformance.conftest import StartPeer, kernel_objects
from conformance.harness.peers import Peer, PeerError
from ipclab.contract.channel import Address, Kind, Mechanism, Traits
from ipclab.contract.optional_parts import BorrowReceiver, LoanSender

in_place = pytest.mark.mechanisms(picks=lambda traits: traits.copies == 0)
SIZE = 3000
OTHER_SIZE = 500


def refused(peer: Peer, command: str, code: str, **arguments: Any) -> None:
    with pytest.raises(PeerError) as caught:
        peer.do(command, **arguments)
    assert (caught.value.kind, caught.value.errno_name) == ("InvalidState", code)


def loan_and_commit(sender: Peer, sequence: int, size: int = SIZE) -> None:
    sender.do("loan", sequence=sequence, size=size)
    sender.do("commit")


def test_a_channel_without_copies_is_shared_memory_and_loans(
    mechanism: Mechanism, traits: Traits, address: Address
) -> None:
    with mechanism.create_receiver(address) as receiver, mechanism.open_sender(address) as sender:
        can = isinstance(sender, LoanSender), isinstance(receiver, BorrowReceiver)
        receiver.remove()
    assert can == (traits.copies == 0, traits.copies == 0)
    assert (traits.copies == 0) == (traits.copies_large == 0) == (traits.kind is Kind.SHARED_MEMORY)
    assert traits.copies_by_send == (traits.copies_large or 2)


@in_place
def test_a_borrowed_message_is_the_memory_that_was_loaned(mechanism: Mechanism, address: Address) -> None:
    """The sender's mapping and the receiver's are two; the bytes are the same."""
    with mechanism.create_receiver(address) as receiver, mechanism.open_sender(address) as sender:
        assert isinstance(sender, LoanSender)
        assert isinstance(receiver, BorrowReceiver)
        loaned = sender.loan(8, 1.0)
        loaned[:] = b"in place"
        kept = loaned[:]  # what the contract forbids, to see where a store goes
        sender.commit()
        borrowed = receiver.borrow(1.0)
        assert bytes(borrowed) == b"in place"
        kept[:2] = b"IN"
        assert bytes(borrowed) == b"IN place"
        assert borrowed.readonly
        kept.release()
        receiver.release()
        receiver.remove()


@in_place
def test_messages_in_place_and_messages_sent_are_mixed(sender: Peer, receiver: Peer) -> None:
    for number in range(0, 40, 4):
        loan_and_commit(sender, number)
        sender.do("send", sequence=number + 1, size=OTHER_SIZE)
        loan_and_commit(sender, number + 2, OTHER_SIZE)
        sender.do("send", sequence=number + 3, size=SIZE)
        assert receiver.do("borrow") == [number, SIZE]
        receiver.do("release")
        assert receiver.do("borrow") == [number + 1, OTHER_SIZE]
        receiver.do("release")
        assert receiver.do("receive") == [number + 2, OTHER_SIZE]
        assert receiver.do("receive") == [number + 3, SIZE]


@in_place
@pytest.mark.parametrize("wait", ["block", "spin"])
def test_a_borrower_is_woken_and_times_out(start: StartPeer, wait: str) -> None:
    receiver, sender = start(), start()
    for peer, role in ((receiver, "receiver"), (sender, "sender")):
        peer.do("tune", wait=wait)
        peer.do("open", role=role)
    for number in range(10):
        if wait == "spin":
            receiver.begin("borrow", timeout_s=20)
        else:
            receiver.begin_and_block("borrow", timeout_s=20)
        loan_and_commit(sender, number)
        assert receiver.end() == [number, SIZE]
        receiver.do("release")
    with pytest.raises(PeerError) as timeout:
        receiver.do("borrow", timeout_s=0.05)
    assert timeout.value.kind == "ReceiveTimeout"


@in_place
def test_a_full_channel_lends_nothing_until_a_release(sender: Peer, receiver: Peer) -> None:
    taken = sender.do("loan_until_full", size=100_000)
    assert taken > 2
    assert receiver.do("borrow") == [0, 100_000]
    with pytest.raises(PeerError) as full:
        sender.do("loan", sequence=taken, size=100_000, timeout_s=0.1)
    assert full.value.kind == "ChannelFull"
    assert receiver.do("look") == [0, 100_000]
    sender.begin_and_block("loan", sequence=taken, size=100_000, timeout_s=20)
    receiver.do("release")
    sender.end()
    sender.do("commit")
    assert receiver.do("drain", limit=taken) == [[number, 100_000] for number in range(1, taken + 1)]


@in_place
def test_a_message_over_the_limit_is_not_lent(sender: Peer, receiver: Peer, traits: Traits) -> None:
    with pytest.raises(PeerError) as large:
        sender.do("loan", sequence=0, size=traits.max_message_bytes + 1)
    assert (large.value.kind, large.value.errno_name) == ("MessageTooLarge", "EMSGSIZE")
    loan_and_commit(sender, 1, traits.max_message_bytes)
    assert receiver.do("borrow") == [1, traits.max_message_bytes]


@in_place
def test_what_does_not_fit_the_state_is_refused(sender: Peer, receiver: Peer) -> None:
    refused(sender, "commit", "not loaned")
    refused(receiver, "release", "not borrowed")
    for number in range(2):
        loan_and_commit(sender, number)
    refused(sender, "commit", "not loaned")
    assert receiver.do("borrow") == [0, SIZE]
    refused(receiver, "borrow", "borrowed")
    refused(receiver, "receive", "borrowed")
    assert receiver.do("look") == [0, SIZE]
    receiver.do("release")
    refused(receiver, "release", "not borrowed")
    assert receiver.do("receive") == [1, SIZE]


@in_place
def test_a_channel_that_was_removed_takes_no_commit(sender: Peer, receiver: Peer) -> None:
    sender.do("loan", sequence=0, size=SIZE)
    receiver.do("remove")
    with pytest.raises(PeerError) as gone:
        sender.do("commit")
    assert (gone.value.kind, gone.value.errno_name) == ("PeerGone", "removed")


@in_place
@pytest.mark.parametrize("side", ["sender", "receiver"])
def test_a_slice_that_is_kept_too_long_kills_nobody(sender: Peer, receiver: Peer, start: StartPeer, side: str) -> None:
    before = kernel_objects()
    sender.do("loan", sequence=0, size=SIZE)
    if side == "receiver":
        sender.do("commit")
        receiver.do("borrow")
    peer = {"sender": sender, "receiver": receiver}[side]
    peer.do("keep_a_slice")
    peer.do("close")
    assert peer.do("use_the_slice") == 12
    peer.stop()
    again = start()
    again.do("open", role=side)
    assert kernel_objects() == before


# --- kill -9 --------------------------------------------------------------------------------------------


@in_place
@pytest.mark.parametrize("step", ["loan", "commit"])
def test_a_sender_killed_in_any_line_of_a_step_delivers_a_whole_message_or_none(
    receiver: Peer, start: StartPeer, step: str
) -> None:
    before = kernel_objects()
    delivered: list[bool] = []
    for line in count(1):
        sender = start()
        sender.do("open", role="sender")
        loan = {"sequence": line, "size": SIZE}
        if step == "commit":
            sender.do("loan", **loan)
        sender.begin("die_at", line=line, of=step, arguments=loan if step == "loan" else {})
        if sender.line():  # it lived to say how many lines there are
            break
        sender.kill()
        survivor = start()
        survivor.do("open", role="sender")
        loan_and_commit(survivor, 0, OTHER_SIZE)
        first = receiver.do("borrow")
        receiver.do("release")
        delivered.append(first == [line, SIZE])
        if delivered[-1]:
            first = receiver.do("receive")
        assert first == [0, OTHER_SIZE]
        survivor.stop()
    assert len(delivered) > 3
    assert delivered == sorted(delivered)  # from one line on, it is there
    assert delivered[-1] == (step == "commit")
    assert kernel_objects() == before


@in_place
def test_a_loan_whose_sender_is_killed_delivers_nothing(receiver: Peer, start: StartPeer) -> None:
    for number in range(20):
        sender = start()
        sender.do("open", role="sender")
        loan_and_commit(sender, number, OTHER_SIZE)
        sender.do("loan", sequence=-1, size=SIZE)
        sender.kill()
    assert receiver.do("drain") == [[number, OTHER_SIZE] for number in range(20)]


@in_place
@pytest.mark.parametrize("step", ["borrow", "release"])
def test_a_receiver_killed_in_any_line_of_a_step_gives_the_message_back_or_has_it(
    start: StartPeer, receiver: Peer, sender: Peer, step: str
) -> None:
    before = kernel_objects()
    given_back: list[bool] = []
    for line in count(1):
        loan_and_commit(sender, line)
        loan_and_commit(sender, 0, OTHER_SIZE)
        if step == "release":
            receiver.do("borrow")
        receiver.begin("die_at", line=line, of=step, arguments={})
        if receiver.line():
            break
        receiver.kill()
        receiver = start()
        receiver.do("open", role="receiver")
        first = receiver.do("borrow")
        receiver.do("release")
        given_back.append(first == [line, SIZE])
        if given_back[-1]:
            first = receiver.do("receive")
        assert first == [0, OTHER_SIZE]
    assert len(given_back) > 3
    assert given_back == sorted(given_back, reverse=True)  # from one line on, it is taken
    assert given_back[0]
    assert given_back[-1] == (step == "borrow")
    assert kernel_objects() == before


@in_place
def test_a_borrow_whose_receiver_is_killed_or_closes_is_given_back(
    start: StartPeer, receiver: Peer, sender: Peer
) -> None:
    loan_and_commit(sender, 7)
    for end in ["kill", "stop"] * 5:
        assert receiver.do("borrow") == [7, SIZE]
        if end == "stop":
            receiver.do("close")
        getattr(receiver, end)()
        receiver = start()
        receiver.do("open", role="receiver")
    assert receiver.do("drain") == [[7, SIZE]]


@in_place
def test_a_sender_does_not_write_where_a_killed_receiver_read(start: StartPeer, receiver: Peer, sender: Peer) -> None:
    """A ring that is empty begins again at its beginning, and a ring that lends a message is not empty."""
    loan_and_commit(sender, 1)
    assert receiver.do("borrow") == [1, SIZE]
    receiver.kill()
    for number in range(2, 30):
        loan_and_commit(sender, number)
    receiver = start()
    receiver.do("open", role="receiver")
    assert receiver.do("drain") == [[number, SIZE] for number in range(1, 30)]
