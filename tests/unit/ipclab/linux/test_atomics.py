"""The C extension and what serves without it: words that are whole, and an order that two processes see."""

from __future__ import annotations

import mmap
import os
import subprocess
import sys
import time
from collections.abc import Callable

import pytest

from ipclab.linux import atomics
from ipclab.linux.atomics import FallbackWords, atomic_words, fallback_fence, fence

LARGEST = 2**64 - 1
EVERY_KIND = pytest.mark.parametrize(
    "words_of",
    [
        pytest.param(atomic_words, id="extension"),
        pytest.param(lambda memory: FallbackWords(memory, keeps_order=True), id="plain"),
        pytest.param(lambda memory: FallbackWords(memory, keeps_order=False), id="locks"),
    ],
)
WordsOf = Callable[[memoryview], atomics.AtomicWords]


@pytest.fixture
def extension() -> None:
    if atomics.IS_FALLBACK:
        pytest.skip("ipclab_atomics is not built: ./lab test builds it")


@EVERY_KIND
def test_a_word_is_what_was_stored_last(words_of: WordsOf) -> None:
    memory = bytearray(32)
    words = words_of(memoryview(memory))
    for value in (1, LARGEST, 0, 0x0123456789ABCDEF):
        words.store_release(2, value)
        assert words.load_acquire(2) == value
        assert memory == bytes(16) + value.to_bytes(8, sys.byteorder) + bytes(8)
    words.release()


@EVERY_KIND
def test_a_bad_access_changes_nothing(words_of: WordsOf) -> None:
    memory = bytearray(28)  # three words and a half
    words = words_of(memoryview(memory))
    for index in (3, 1 << 40):
        with pytest.raises(IndexError):
            words.load_acquire(index)
        with pytest.raises(IndexError):
            words.store_release(index, 1)
    for value in (-1, LARGEST + 1):
        with pytest.raises((OverflowError, ValueError)):
            words.store_release(0, value)
    words.release()
    words.release()
    with pytest.raises(ValueError, match="released"):
        words.load_acquire(0)
    with pytest.raises(ValueError, match="released"):
        words.store_release(0, 1)
    assert memory == bytes(28)


@EVERY_KIND
def test_memory_can_go_once_its_words_are_released(words_of: WordsOf) -> None:
    memory = mmap.mmap(-1, mmap.PAGESIZE)
    words = words_of(memoryview(memory))
    with pytest.raises(BufferError):
        memory.close()
    words.release()
    memory.close()


@pytest.mark.usefixtures("extension")
def test_memory_must_be_writable_and_aligned() -> None:
    with pytest.raises(BufferError):
        atomic_words(memoryview(bytes(16)))
    with pytest.raises(ValueError, match="multiple of 8 bytes"):
        atomic_words(memoryview(bytearray(32))[1:17])


@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="two sides on one CPU run one after the other")
@pytest.mark.parametrize("between", [fence, fallback_fence])
def test_with_a_fence_one_of_two_sides_sees_the_store_of_the_other(between: Callable[[], None]) -> None:
    """The litmus test SB (Intel SDM 3A, 9.2.3.4). Without the fence, both sides missed 30 stores of 300,000 here."""
    most, until = 50_000, time.monotonic() + 2.0
    memory = memoryview(mmap.mmap(-1, 1 << 12))
    seen = memoryview(mmap.mmap(-1, 16 * (most + 1))).cast("Q")  # round by round, what each side saw
    cpus = sorted(os.sched_getaffinity(0))

    def run(side: int) -> int:
        """The number of whole rounds."""
        os.sched_setaffinity(0, {cpus[side]})
        words = atomic_words(memory)
        load, store = words.load_acquire, words.store_release
        # A cache line each: what each side stored last, and the round that each side is in.
        mine, other, my_round, other_round = 8 + 8 * side, 16 - 8 * side, 24 + 8 * side, 32 - 8 * side
        for number in range(1, most + 1):
            store(my_round, number)
            while load(other_round) < number:
                if time.monotonic() > until:
                    return number - 1
            store(mine, number)
            between()
            seen[2 * number + side] = load(other)
        return most

    child = os.fork()
    if not child:
        run(1)
        os._exit(0)
    rounds = run(0)
    os.sched_setaffinity(0, cpus)
    assert os.waitpid(child, 0)[1] == 0
    assert rounds > 100
    assert [n for n in range(1, rounds) if seen[2 * n] < n and seen[2 * n + 1] < n] == []


_WITHOUT_THE_EXTENSION = """
import sys
sys.modules["ipclab_atomics"] = None
from ipclab.building_blocks.ring import Ring, bytes_needed
from ipclab.linux import atomics
assert atomics.IS_FALLBACK
ring = Ring(memoryview(bytearray(bytes_needed(64))))
ring.format()
assert ring.try_write(memoryview(b"message"))
buffer = bytearray(64)
assert ring.try_read_into(memoryview(buffer)) == 7 and buffer[:7] == b"message"
ring.close()
"""


def test_without_the_extension_a_ring_works_and_one_line_says_so() -> None:
    ended = subprocess.run([sys.executable, "-c", _WITHOUT_THE_EXTENSION], capture_output=True, text=True, check=True)
    assert ended.stderr.splitlines() == [
        "the C extension ipclab_atomics is absent: shared memory is ordered by locks, which costs more time"
    ]
