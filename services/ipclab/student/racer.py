"""One of the two racers of exercise 5: it lets the student's function add 1 to a shared counter, again and again.

The counter is a word of a file that both racers map (mmap(2), MAP_SHARED). The student's function gets a `Counter`. Its
`load` and `store` are ours, so no timing decides:

- `load` waits for a moment until the other racer has loaded too. Without a lock around load and store both then store
  the same number, in any run and not by luck. With one the other racer cannot come, and the moment passes.
- The first racer once kills itself with SIGKILL before it stores. A lock around both is held at that moment, whatever
  it is made of. The second racer still has half of its updates to make then.

Each racer counts what it has added in a word of its own, after the student's function has returned. The words:

    0  the counter    1, 2  added by each racer    3, 4  between load and store    5, 6  there    7  one was killed
"""

from __future__ import annotations

import importlib.util
import mmap
import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

from ipclab.linux.atomics import fence

WORDS = 8
COUNTER, ADDED, LOADED, THERE, KILLED = 0, (1, 2), (3, 4), (5, 6), 7
FUNCTION = "add_one"
_WORD_BYTES = 8
_MEETINGS, _MEET_WITHIN_S = 25, 0.02  # the first updates of a racer wait for the other one
_OTHER_WITHIN_S = 20.0


class NoFunction(Exception):
    """The student's file has no function that could be called."""


class Counter:
    """What the student's function gets: a counter in shared memory, and the path of a file to lock."""

    def __init__(self, words: memoryview, number: int, lock_file: Path, dies_at: int) -> None:
        self._words = words
        self._own, self._other = LOADED[number], LOADED[1 - number]
        self._added = ADDED[number]
        self._dies_at = dies_at if number == 0 else None
        self.lock_file = lock_file

    def load(self) -> int:
        """The counter's value now."""
        value: int = self._words[COUNTER]
        fence()  # who sees that we have loaded may store
        self._words[self._own] = 1
        if self._words[self._added] < _MEETINGS:
            _wait_until(lambda: bool(self._words[self._other]), _MEET_WITHIN_S)
        return value

    def store(self, value: int) -> None:
        """Set the counter."""
        if self._dies_at is not None and self._words[self._added] >= self._dies_at and not self._words[KILLED]:
            self._words[KILLED] = 1
            os.kill(os.getpid(), signal.SIGKILL)
        self._words[COUNTER] = value
        fence()
        self._words[self._own] = 0


def map_words(path: Path) -> memoryview:
    """The words of both racers; whoever comes first makes the file.

    :raises OSError: the file cannot be made or mapped
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        os.truncate(descriptor, WORDS * _WORD_BYTES)
        return memoryview(mmap.mmap(descriptor, WORDS * _WORD_BYTES)).cast("Q")
    finally:
        os.close(descriptor)


def function_of(file: Path) -> Callable[[Counter], object]:
    """The student's function.

    :raises NoFunction: the file has none of that name
    """
    specification = importlib.util.spec_from_file_location("student", file)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    function = getattr(module, FUNCTION, None)
    if not callable(function):
        raise NoFunction(f"{file.name} has no function {FUNCTION}(counter)")
    found: Callable[[Counter], object] = function
    return found


def race(words: memoryview, number: int, count: int, add_one: Callable[[Counter], object], folder: Path) -> None:
    """Add until this racer has added `count` in all its lives.

    :param number: 0 or 1; the first one dies once, halfway
    :param folder: where the student's lock file is to be
    """
    half = count // 2
    counter = Counter(words, number, folder / "lock", half)
    words[THERE[number]] = 1
    _wait_until(lambda: bool(words[THERE[1 - number]]), _OTHER_WITHIN_S)
    while words[ADDED[number]] < count:
        add_one(counter)
        words[ADDED[number]] += 1
        if number == 1 and words[ADDED[1]] == half:
            _wait_until(lambda: bool(words[KILLED]), _OTHER_WITHIN_S)


def _wait_until(condition: Callable[[], bool], within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not condition() and time.monotonic() < deadline:
        time.sleep(0.0005)
