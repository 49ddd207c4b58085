from __future__ import annotations

import random
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pickle import PickleBuffer

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from ipclab.accounting import message
from ipclab.accounting.message import CorruptMessage
from ipclab.building_blocks.ring import HEADER_BYTES, SENDER_WAITS, Ring, bytes_needed
from ipclab.contract.errors import InvalidState, MessageTooLarge, PeerGone, TornMessage
from support.killing import states_of

MAX = 40
SIZE = bytes_needed(MAX)
CAPACITY = SIZE - HEADER_BYTES
# The words of the documented layout.
MAGIC, CAPACITY_WORD, CLOSED, TAIL, START, HEAD, DATA = 0, 1, 2, 8, 9, 16, 32
# Where 32 bits of position / 8 begin again.
TAG_WRAPS = 8 << 32

# Positions in bytes ever written; each a place in the data area to begin at, some on their second lap.
starts = st.one_of(
    st.integers(0, 3 * CAPACITY // 8).map(lambda n: 8 * n),
    st.integers(0, 3 * CAPACITY // 8).map(lambda n: TAG_WRAPS - 8 * n),
    st.integers(0, CAPACITY // 8).map(lambda n: (1 << 62) + 8 * n),
)
payloads = st.binary(max_size=MAX)


def memory_of(size: int = SIZE, *, start: int = 0, dirt: int | None = None) -> bytearray:
    """A formatted ring that is empty and has `start` bytes behind it."""
    memory = bytearray(size if dirt is None else random.Random(dirt).randbytes(size))
    with ring_in(memory) as ring:
        ring.format()
    for index in (START, TAIL, HEAD):
        set_word(memory, index, start)
    return memory


def queue_at(memory: bytearray, start: int, queued: list[bytes]) -> None:
    """Put `queued` into the ring, the first at `start`; in an empty ring it would be at the beginning of the data."""
    capacity = len(memory) - HEADER_BYTES
    with ring_in(memory) as ring:
        if queued and start % capacity:
            set_word(memory, START, start - start % capacity)
            set_word(memory, HEAD, start - 8)  # as if another record were in the ring
            set_word(memory, TAIL, start)
        assert all(write(ring, whole) for whole in queued)
        if queued:
            set_word(memory, HEAD, start)


@contextmanager
def ring_in(memory: bytearray) -> Iterator[Ring]:
    ring = Ring(memoryview(memory))
    try:
        yield ring
    finally:
        ring.close()


def word(memory: bytearray, index: int) -> int:
    return int.from_bytes(memory[8 * index : 8 * index + 8], "little")


def set_word(memory: bytearray, index: int, value: int) -> None:
    memory[8 * index : 8 * index + 8] = value.to_bytes(8, "little")


def write(ring: Ring, payload: bytes) -> bool:
    return ring.try_write(memoryview(payload))


def read(ring: Ring, buffer_bytes: int = MAX) -> bytes | None:
    buffer = bytearray(buffer_bytes)
    length = ring.try_read_into(memoryview(buffer))
    return None if length is None else bytes(buffer[:length])


def write_in_place(ring: Ring, payload: bytes) -> bool:
    """As `write`, by a loan."""
    loaned = ring.try_loan(len(payload))
    if loaned is None:
        return False
    loaned[:] = payload
    ring.commit()
    return True


def read_in_place(ring: Ring) -> bytes | None:
    """As `read`, by a borrow."""
    borrowed = ring.try_borrow()
    if borrowed is None:
        return None
    payload = bytes(borrowed)
    ring.release()
    return payload


@contextmanager
def exported(view: memoryview) -> Iterator[None]:
    """Another object exports the memory of the view."""
    buffer = PickleBuffer(view)
    try:
        yield
    finally:
        buffer.release()


def read_all(ring: Ring) -> list[bytes]:
    """Everything in the ring, which is undamaged."""
    found = []
    while (payload := read(ring)) is not None:
        found.append(payload)
    return found


class RingAgainstDeque(RuleBasedStateMachine):
    """Whatever both sides do, in whatever order, the ring is a bounded FIFO of bytes."""

    @initialize(start=starts, dirt=st.integers(0, 3))
    def begin(self, start: int, dirt: int) -> None:
        self.memory = memory_of(start=start, dirt=dirt)
        self.sender = Ring(memoryview(self.memory))
        self.receiver = Ring(memoryview(self.memory))
        self.queued: deque[bytes] = deque()

    @rule(payload=payloads, how=st.sampled_from([write, write_in_place]))
    def send(self, payload: bytes, how: Callable[[Ring, bytes], bool]) -> None:
        if how(self.sender, payload):
            self.queued.append(payload)
            return
        assert self.queued, "an empty ring refused"
        used = word(self.memory, TAIL) - word(self.memory, HEAD)
        record = 8 + -(-len(payload) // 8) * 8
        to_end = CAPACITY - (word(self.memory, TAIL) - word(self.memory, START)) % CAPACITY
        assert used + record + (to_end if to_end < record else 0) > CAPACITY, "there was room"

    @rule(size=st.integers(MAX + 1, 3 * MAX))
    def send_too_large(self, size: int) -> None:
        with pytest.raises(MessageTooLarge) as caught:
            write(self.sender, bytes(size))
        assert caught.value.errno_name == "EMSGSIZE"

    @rule(how=st.sampled_from([read, read_in_place]))
    def receive(self, how: Callable[[Ring], bytes | None]) -> None:
        assert how(self.receiver) == (self.queued.popleft() if self.queued else None)

    @rule(size=st.integers(0, MAX))
    def loan_and_give_up(self, size: int) -> None:
        loaned = self.sender.try_loan(size)
        if loaned is not None:
            loaned[:] = b"!" * size

    @rule()
    def borrow_and_die(self) -> None:
        borrowed = self.receiver.try_borrow()
        assert borrowed == (self.queued[0] if self.queued else None)
        self.receiver_restarts()

    @precondition(lambda self: self.queued and self.queued[0])
    @rule()
    def receive_into_too_little(self) -> None:
        gone = self.queued.popleft()
        with pytest.raises(MessageTooLarge):
            read(self.receiver, len(gone) - 1)

    @rule()
    def receiver_restarts(self) -> None:
        self.receiver.close()
        self.receiver = Ring(memoryview(self.memory))
        assert self.receiver.is_sound()

    @rule()
    def sender_restarts(self) -> None:
        self.sender.close()
        self.sender = Ring(memoryview(self.memory))
        assert self.sender.is_ready()

    @rule(waits=st.booleans())
    def sender_waits(self, waits: bool) -> None:
        self.sender.words[SENDER_WAITS] = waits
        assert self.receiver.words[SENDER_WAITS] == waits

    @invariant()
    def head_and_tail_add_up(self) -> None:
        assert self.receiver.is_sound()
        assert word(self.memory, TAIL) - word(self.memory, HEAD) <= CAPACITY

    def teardown(self) -> None:
        assert read_all(self.receiver) == list(self.queued)


RingAgainstDeque.TestCase.settings = settings(max_examples=40, stateful_step_count=40)
TestRingAgainstDeque = RingAgainstDeque.TestCase


@given(largest=st.integers(0, 100), start=st.integers(0, 40).map(lambda n: 8 * n))
def test_the_largest_message_fits_an_empty_ring_wherever_it_stands(largest: int, start: int) -> None:
    memory = memory_of(bytes_needed(largest), start=start)
    with ring_in(memory) as ring:
        assert write(ring, b"x" * largest)
        assert read(ring, largest) == b"x" * largest
        with pytest.raises(MessageTooLarge):
            write(ring, bytes(largest + 8))


def test_a_ring_takes_as_many_records_as_it_has_room_for() -> None:
    with ring_in(memory_of()) as ring:
        for _ in range(3 * CAPACITY):
            records = CAPACITY // 16
            assert [write(ring, b"12345678") for _ in range(records + 1)] == [True] * records + [False]
            assert read(ring) == b"12345678"  # room for one
            assert [write(ring, b"8 bytes!") for _ in range(2)] == [True, False]
            assert len(read_all(ring)) == records


def test_a_long_run_across_the_end_of_the_tag() -> None:
    memory = memory_of(start=TAG_WRAPS - 5 * CAPACITY)
    chance = random.Random(3)
    with ring_in(memory) as ring:
        queued: deque[bytes] = deque()
        for _ in range(3000):
            payload = chance.randbytes(chance.randrange(MAX + 1))
            if write(ring, payload):
                queued.append(payload)
            else:
                assert read(ring) == queued.popleft()
        assert read_all(ring) == list(queued)
    assert word(memory, TAIL) > TAG_WRAPS


def test_closed() -> None:
    memory = memory_of()
    with ring_in(memory) as ring:
        assert write(ring, b"queued")
        assert ring.is_ready()
        ring.mark_closed()
        assert not ring.is_ready()
        assert not ring.is_sound()
        with pytest.raises(PeerGone) as caught:
            write(ring, b"late")
        assert caught.value.errno_name == "removed"
        assert not caught.value.may_be_delivered
        ring.format()
        assert ring.is_ready()
        assert read(ring) is None


def test_after_close_the_memory_can_go() -> None:
    memory = memory_of()
    ring = Ring(memoryview(memory))
    with pytest.raises(BufferError):
        memory.append(0)
    ring.close()
    memory.append(0)


# --- in place -------------------------------------------------------------------------------------------


def test_an_empty_ring_begins_again_at_its_beginning() -> None:
    """Memory that the caches hold is used again; the rest of the data area is not touched."""
    memory = memory_of(dirt=1)
    untouched = bytes(memory[HEADER_BYTES + 3 * 16 :])
    with ring_in(memory) as ring:
        for _ in range(100):
            assert all(write(ring, b"12345678") for _ in range(3))
            assert len(read_all(ring)) == 3
    assert memory[HEADER_BYTES + 3 * 16 :] == untouched
    assert word(memory, TAIL) == 100 * 3 * 16


def test_a_ring_whose_only_record_is_borrowed_is_not_empty() -> None:
    memory = memory_of()
    with ring_in(memory) as sender, ring_in(memory) as receiver:
        assert write(sender, b"borrowed")
        borrowed = receiver.try_borrow()
        assert all(write(sender, b"12345678") for _ in range(CAPACITY // 16 - 1))
        assert not write(sender, b"12345678")
        assert bytes(borrowed or b"") == b"borrowed"
        receiver.release()
        assert len(read_all(receiver)) == CAPACITY // 16 - 1


def test_a_borrowed_record_is_where_it_was_made_and_read_only() -> None:
    memory = memory_of(dirt=1)
    with ring_in(memory) as sender, ring_in(memory) as receiver:
        loaned = sender.try_loan(5)
        assert loaned is not None
        assert receiver.try_borrow() is None
        loaned[:] = b"whole"
        assert memory[HEADER_BYTES + 8 : HEADER_BYTES + 13] == b"whole"
        assert receiver.try_borrow() is None
        sender.commit()
        borrowed = receiver.try_borrow()
        assert bytes(borrowed or b"") == b"whole"
        memory[HEADER_BYTES + 8] = ord("W")
        assert bytes(borrowed or b"") == b"Whole"
        with pytest.raises(TypeError, match="read-only"):
            borrowed[0] = 0  # type: ignore[index]


def test_a_view_ends_with_its_commit_or_release() -> None:
    with ring_in(memory_of()) as ring:
        loaned = ring.try_loan(5)
        assert loaned is not None
        ring.commit()
        borrowed = ring.try_borrow()
        assert borrowed is not None
        ring.release()
        for view in (loaned, borrowed):
            with pytest.raises(ValueError, match="released"):
                bytes(view)


def test_what_does_not_fit_the_state_is_refused() -> None:
    memory = memory_of()

    def refused(code: str, act: Callable[[], object]) -> None:
        before = bytes(memory)
        with pytest.raises(InvalidState) as caught:
            act()
        assert (caught.value.errno_name, caught.value.may_be_delivered) == (code, False)
        assert memory == before

    with ring_in(memory) as sender, ring_in(memory) as receiver:
        refused("not loaned", sender.commit)
        refused("not borrowed", receiver.release)
        assert write_in_place(sender, b"one")
        refused("not loaned", sender.commit)
        assert write(sender, b"two")
        assert bytes(receiver.try_borrow() or b"") == b"one"
        refused("borrowed", receiver.try_borrow)
        refused("borrowed", lambda: read(receiver))
        receiver.release()
        refused("not borrowed", receiver.release)
        assert read(receiver) == b"two"


def test_a_loan_ends_by_the_next_loan_or_write() -> None:
    with ring_in(memory_of()) as ring:
        first = ring.try_loan(3)
        second = ring.try_loan(3)
        assert first is not None
        assert second is not None
        with pytest.raises(ValueError, match="released"):
            first[0] = 1
        assert write(ring, b"written")
        with pytest.raises(ValueError, match="released"):
            second[0] = 1
        with pytest.raises(InvalidState):
            ring.commit()
        assert read_all(ring) == [b"written"]


def test_memory_that_another_object_exports_is_not_committed_and_not_released() -> None:
    """As an array of numpy over the view does: it would go on to show memory that is the other side's."""
    with ring_in(memory_of()) as ring:
        loaned = ring.try_loan(8)
        assert loaned is not None
        loaned[:] = b"in place"
        with exported(loaned):
            for act in (ring.commit, lambda: ring.try_loan(8), lambda: write(ring, b"other")):
                with pytest.raises(InvalidState, match="in use"):
                    act()
            assert read(ring) is None
        ring.commit()
        borrowed = ring.try_borrow()
        assert borrowed is not None
        with exported(borrowed):
            with pytest.raises(InvalidState, match="in use"):
                ring.release()
            assert bytes(borrowed or b"") == b"in place"
        ring.release()
        assert read(ring) is None


@pytest.mark.parametrize("damage", ["closed", "made anew", "another sender"])
def test_a_loan_of_a_ring_that_has_changed_is_not_committed(damage: str) -> None:
    memory = memory_of()
    with ring_in(memory) as sender, ring_in(memory) as other:
        assert write(sender, b"one")
        assert sender.try_loan(3) is not None
        if damage == "closed":
            other.mark_closed()
        elif damage == "made anew":
            other.format()
        else:
            assert write(other, b"two")
        before = bytes(memory)
        with pytest.raises(PeerGone):
            sender.commit()
        assert memory == before


# --- death at any point -------------------------------------------------------------------------------


def killed_in(memory: bytearray, act: Callable[[Ring], object]) -> list[bytes]:
    with ring_in(memory) as ring:
        return states_of(lambda: bytes(memory), lambda: act(ring))


# Of these rings, each has room for all that is queued, one more record, and one more.
ROOMY = bytes_needed(64)
END = ROOMY - HEADER_BYTES
SITUATIONS = [
    pytest.param(start, queued, id=f"{start}-{len(queued)}")
    for start in (0, 16, END - 8, END - 24, END - 48, 2 * END - 72, TAG_WRAPS - 8)
    for queued in ([], [b"first"], [b"first", b"the second, of 24 bytes."])
]


@pytest.mark.parametrize(("start", "queued"), SITUATIONS)
@pytest.mark.parametrize("payload", [b"", b"12345678", b"new, and of the size that may be"])
@pytest.mark.parametrize("how", [write, write_in_place])
def test_a_producer_killed_anywhere_leaves_nothing_torn(
    start: int, queued: list[bytes], payload: bytes, how: Callable[[Ring, bytes], bool]
) -> None:
    memory = memory_of(ROOMY, start=start, dirt=1)
    queue_at(memory, start, queued)
    states = killed_in(memory, lambda ring: how(ring, payload))
    arrived = []
    for state in states:
        with ring_in(bytearray(state)) as ring:
            assert ring.is_sound()
            found = read_all(ring)
            assert found in (queued, [*queued, payload])
            arrived.append(len(found) > len(queued))
        with ring_in(bytearray(state)) as survivor:  # the next producer, before anything is read
            assert how(survivor, b"next")
            assert read_all(survivor) == [*found, b"next"]
    assert arrived == sorted(arrived)  # from one point on, it is there
    assert arrived[0] is False
    assert arrived[-1] is True
    assert len(states) > 2


@pytest.mark.parametrize(("start", "queued"), SITUATIONS)
@pytest.mark.parametrize("how", [read, read_in_place])
def test_a_consumer_killed_anywhere_leaves_the_message_or_has_it(
    start: int, queued: list[bytes], how: Callable[[Ring], bytes | None]
) -> None:
    memory = memory_of(ROOMY, start=start, dirt=1)
    everything = [*queued, b"last"]
    queue_at(memory, start, everything)
    states = killed_in(memory, how)
    left = []
    for state in states:
        with ring_in(bytearray(state)) as ring:
            assert ring.is_sound()
            left.append(read_all(ring))
    assert left == [everything] * (len(left) - 1) + [everything[1:]]  # the last store of all takes it
    assert len(left) == 2


@pytest.mark.parametrize(("start", "queued"), SITUATIONS)
def test_a_consumer_killed_in_any_step_of_a_producer_gets_what_is_committed(start: int, queued: list[bytes]) -> None:
    """A borrow is open while the producer loans and commits; both are killed, in every state of the memory."""
    memory = memory_of(ROOMY, start=start, dirt=1)
    everything = [*queued, b"borrowed"]
    queue_at(memory, start, everything)

    def loan_and_commit_during_a_borrow(ring: Ring) -> None:
        with ring_in(memory) as receiver:
            borrowed = receiver.try_borrow()
            assert borrowed is not None
            whole = bytes(borrowed)
            assert write_in_place(ring, b"new, and of the size that may be")
            assert borrowed == whole, "the producer wrote where the consumer reads"

    for state in killed_in(memory, loan_and_commit_during_a_borrow):
        with ring_in(bytearray(state)) as ring:
            assert ring.is_sound()
            assert read_all(ring) in (everything, [*everything, b"new, and of the size that may be"])


@given(memory=st.one_of(st.binary(min_size=SIZE, max_size=SIZE), st.just(bytes(memory_of(start=64)))))
@settings(max_examples=15)
def test_a_receiver_killed_while_it_makes_the_ring_leaves_none_or_an_empty_one(memory: bytes) -> None:
    states = killed_in(bytearray(memory), Ring.format)
    for state in states[1:]:
        with ring_in(bytearray(state)) as ring:
            assert ring.is_ready() == ring.is_sound()
            if ring.is_sound():
                assert read(ring) is None
    with ring_in(bytearray(states[-1])) as ring:
        assert ring.is_sound()


# --- memory that somebody else wrote ------------------------------------------------------------------


def sealed(sequence: int) -> bytes:
    whole = bytearray(message.HEADER_BYTES + 5 * sequence)
    message.seal(memoryview(whole), producer=9, epoch=9, sequence=sequence, due_ns=9, sent_ns=9)
    return bytes(whole)


@given(
    start=starts,
    damage=st.lists(st.tuples(st.floats(0, 1, exclude_max=True), st.binary(min_size=1, max_size=40)), min_size=1),
)
def test_damaged_records_are_torn_or_fail_their_checksum_and_the_ring_works_on(
    start: int, damage: list[tuple[float, bytes]]
) -> None:
    messages = [sealed(n) for n in range(6)]
    memory = memory_of(bytes_needed(256), start=start)
    with ring_in(memory) as ring:
        sent = [whole for whole in messages if write(ring, whole)]
        for where, dirt in damage:
            begin = HEADER_BYTES + int(where * (len(memory) - HEADER_BYTES))
            memory[begin : begin + len(dirt)] = dirt[: len(memory) - begin]
        arrived = []
        for _ in range(len(sent) + 2):  # it ends
            try:
                payload = read(ring, 256)
            except (TornMessage, MessageTooLarge):
                continue
            if payload is None:
                break
            arrived.append(payload)
        assert read(ring, 256) is None
        order = iter(sent)
        assert all(whole in order for whole in arrived if is_intact(whole))
        for number in range(20):  # and goes round several times
            assert write(ring, sealed(number % 6))
            assert read(ring, 256) == sealed(number % 6)


def is_intact(arrived: bytes) -> bool:
    try:
        message.parse(memoryview(arrived))
    except CorruptMessage:
        return False
    return True


def test_a_damaged_record_drops_the_ring_once_and_says_so() -> None:
    memory = memory_of()
    with ring_in(memory) as ring:
        assert write(ring, b"one")
        assert write(ring, b"two")
        set_word(memory, DATA, 3)  # its length, and not its position
        assert read(ring) == b"one"  # position 0 is a position like any other
        set_word(memory, DATA + 2, 3)
        with pytest.raises(TornMessage, match="damaged at 16; 16 bytes dropped") as caught:
            read(ring)
        assert caught.value.errno_name == "damaged"
        assert read(ring) is None
        assert write(ring, b"three")
        assert read(ring) == b"three"


@pytest.mark.parametrize("length", [MAX + 1, CAPACITY, 2**31, 2**32 - 2, 2**32 - 1])
def test_a_length_beyond_the_ring_is_torn(length: int) -> None:
    memory = memory_of()
    with ring_in(memory) as ring:
        assert write(ring, b"one")
        set_word(memory, DATA, length)
        with pytest.raises(TornMessage):
            read(ring)
        assert read(ring) is None


def test_a_length_beyond_the_end_of_the_data_but_not_beyond_the_tail_is_torn() -> None:
    memory = memory_of()
    queue_at(memory, CAPACITY - 16, [b"12345678"] * 4)
    with ring_in(memory) as ring:
        set_word(memory, DATA + (CAPACITY - 16) // 8, word(memory, DATA + (CAPACITY - 16) // 8) + 8)
        with pytest.raises(TornMessage):
            read(ring)
        assert read(ring) is None


def assert_works(sender: Ring, receiver: Ring) -> None:
    for _ in range(2 * CAPACITY // 16):  # round and round
        assert write(sender, b"12345678"), "full for ever"
        assert write(sender, b"abcdefgh"), "full for ever"
        assert [read(receiver) for _ in range(3)] == [b"12345678", b"abcdefgh", None]


def assert_both_sides_refuse(memory: bytearray, sender: Ring, receiver: Ring) -> None:
    before = bytes(memory)
    for _ in range(2):  # it does not go away by itself
        for act in (lambda: write(sender, b"new"), lambda: read(receiver)):
            with pytest.raises(PeerGone, match="the ring is damaged") as caught:
                act()
            assert caught.value.errno_name == "damaged"
            assert not caught.value.may_be_delivered
    assert memory == before


@pytest.mark.parametrize("start", [0, 8 * 13, TAG_WRAPS - 8, 1 << 62])
@pytest.mark.parametrize(
    ("index", "distance"),
    [
        *((TAIL, n) for n in (1, -1, 4, -24, -(1 << 20), CAPACITY, 1 << 32, 1 << 63)),
        *((HEAD, n) for n in (24, 1 << 20, -CAPACITY, -(1 << 20), 1 << 63)),
        *((START, n) for n in (1, 4, 24, 1 << 20, 1 << 63)),
    ],
)
def test_a_damaged_ring_is_refused_by_both_sides_until_the_ring_is_made_anew(
    start: int, index: int, distance: int
) -> None:
    """Both of its 16-byte records are in the ring; one word of the ring is off by `distance`."""
    memory = memory_of(start=start)
    with ring_in(memory) as sender, ring_in(memory) as receiver:
        assert write(sender, b"one")
        assert write(sender, b"two")
        assert read(receiver) == b"one"
        set_word(memory, index, (word(memory, index) + distance) % (1 << 64))
        assert_both_sides_refuse(memory, sender, receiver)
        with ring_in(memory) as again:
            assert not again.is_sound()
            again.format()
            assert again.is_sound()
            assert read(again) is None
            assert_works(sender, again)


@pytest.mark.parametrize("index", [TAIL, HEAD, START])
def test_any_damage_to_the_ring_is_noticed_or_passes_by(index: int) -> None:
    """Nothing is full for ever, or empty for ever: refused by both sides, or read to the end and used on."""
    chance = random.Random(index)
    refused = 0
    for _ in range(1500):
        start = 8 * chance.randrange(40)
        memory = memory_of(start=start)
        queue_at(memory, start, [b"one"] * chance.randrange(1, 4))
        with ring_in(memory) as sender, ring_in(memory) as receiver:
            if chance.random() < 0.5:
                memory[8 * index + chance.randrange(8)] ^= chance.randrange(1, 256)
            else:  # by some words, which leaves a head and a tail that may add up
                memory[8 * index] ^= 8 * chance.randrange(1, 16)
            try:
                for _ in range(10):
                    with suppress(TornMessage, MessageTooLarge):
                        if read(receiver) is None:
                            break
                else:
                    pytest.fail("never empty")
            except PeerGone:
                refused += 1
                assert_both_sides_refuse(memory, sender, receiver)
                assert not receiver.is_sound()
                receiver.format()
            assert_works(sender, receiver)
    assert 500 < refused < 1300


@given(memory=st.binary(min_size=SIZE, max_size=SIZE))
@example(memory=bytes(SIZE))
@example(memory=b"\xff" * SIZE)
def test_random_memory_is_no_ring(memory: bytes) -> None:
    with ring_in(bytearray(memory)) as ring:
        assert not ring.is_sound()
        assert not ring.is_ready()


@given(
    capacity=st.sampled_from([CAPACITY, CAPACITY + 8, 0]),
    closed=st.sampled_from([0, 0, 0, 1]),
    tail=st.integers(0, 40),
    head=st.integers(0, 40),
    start=st.integers(0, 40),
    unit=st.sampled_from([8, 8, 4, 1]),
)
def test_a_ring_whose_head_and_tail_do_not_add_up_is_none(
    capacity: int, closed: int, tail: int, head: int, start: int, unit: int
) -> None:
    memory = memory_of()
    for index, value in ((TAIL, tail), (HEAD, head), (START, start)):
        set_word(memory, index, value * unit)
    for index, value in ((CAPACITY_WORD, capacity), (CLOSED, closed)):
        set_word(memory, index, value)
    adds_up = (
        capacity == CAPACITY
        and not closed
        and 0 <= (tail - head) * unit <= CAPACITY
        and start <= head
        and all(value * unit % 8 == 0 for value in (tail, head, start))
    )
    with ring_in(memory) as ring:
        assert ring.is_sound() == adds_up


def test_a_ring_of_another_size_is_none() -> None:
    memory = memory_of()
    with ring_in(memory + bytes(8)) as larger:
        assert not larger.is_sound()
    set_word(memory, MAGIC, word(memory, MAGIC) + 1)
    with ring_in(memory) as other:
        assert not other.is_sound()
        assert not other.is_ready()
