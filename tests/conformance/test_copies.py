"""Two copies of a message are one into the channel and one out of it: then neither end makes one of its own.

Where a channel loans and borrows, neither end makes any. Copies of small messages cannot be told from what Python
allocates anyway; those of large ones can.
"""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable

import pytest

from ipclab.contract.channel import LARGE_BYTES, Address, Kind, Mechanism, Traits
from ipclab.contract.optional_parts import BorrowReceiver, LoanSender

_WARM_UP = 3


@pytest.mark.mechanisms(picks=lambda traits: traits.copies_by_send == 2)
def test_neither_end_makes_a_copy_of_its_own(mechanism: Mechanism, traits: Traits, address: Address) -> None:
    # What a pipe has room for, because the same process sends and receives.
    size = LARGE_BYTES if traits.kind is Kind.BYTE_STREAM else traits.max_message_bytes
    payload, buffer = (memoryview(bytearray(size)) for _ in range(2))
    with mechanism.create_receiver(address) as receiver, mechanism.open_sender(address) as sender:
        for _ in range(_WARM_UP):
            sender.send(payload, 1.0)
            assert receiver.receive_into(buffer, 1.0) == len(payload)
        sent = _most_allocated(lambda: sender.send(payload, 1.0))
        received = _most_allocated(lambda: receiver.receive_into(buffer, 1.0))
        receiver.remove()
    assert max(sent, received) < len(payload) // 8


@pytest.mark.mechanisms(picks=lambda traits: traits.copies == 0)
def test_a_loan_and_a_borrow_allocate_nothing_for_the_bytes(
    mechanism: Mechanism, traits: Traits, address: Address
) -> None:
    """As much for the largest message as for the smallest."""
    allocated: list[int] = []
    with mechanism.create_receiver(address) as receiver, mechanism.open_sender(address) as sender:
        assert isinstance(sender, LoanSender)
        assert isinstance(receiver, BorrowReceiver)

        def pass_on(size: int) -> None:
            sender.loan(size, 1.0)
            sender.commit()
            assert len(receiver.borrow(1.0)) == size
            receiver.release()

        for size in (64, traits.max_message_bytes):
            for _ in range(_WARM_UP):
                pass_on(size)
            allocated.append(_most_allocated(lambda size=size: pass_on(size)))  # type: ignore[misc]
        receiver.remove()
    assert max(allocated) < LARGE_BYTES // 8


def _most_allocated(act: Callable[[], object]) -> int:
    """The most bytes that were allocated at once meanwhile."""
    tracemalloc.start()
    try:
        act()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
