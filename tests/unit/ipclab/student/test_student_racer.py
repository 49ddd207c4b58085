"""The racers of exercise 5, as processes: no lock loses updates, a lock loses none and must outlive its holder."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from ipclab.student.racer import ADDED, COUNTER, KILLED, map_words

COUNT = 100
UNLOCKED = """
def add_one(counter):
    value = counter.load()
    counter.store(value + 1)
"""
LOCKED = """
import fcntl

def add_one(counter):
    with open(counter.lock_file, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        counter.store(counter.load() + 1)
"""
HALF_LOCKED = """
import fcntl

def add_one(counter):
    value = counter.load()
    with open(counter.lock_file, "w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        counter.store(value + 1)
"""
LOCK_OF_A_FILE_THAT_EXISTS = """
import os, time

def add_one(counter):
    while True:
        try:
            os.close(os.open(counter.lock_file, os.O_CREAT | os.O_EXCL))
            break
        except FileExistsError:
            time.sleep(0)
    counter.store(counter.load() + 1)
    os.unlink(counter.lock_file)
"""


_RACE = """
import sys
from pathlib import Path
from ipclab.student import racer

file, number, count = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3])
racer.race(racer.map_words(file.parent / "words"), number, count, racer.function_of(file), file.parent)
"""


def racer(file: Path, number: int) -> subprocess.Popen[bytes]:
    """One of the two, in a process of its own."""
    return subprocess.Popen([sys.executable, "-c", _RACE, str(file), str(number), str(COUNT)])


def race(tmp_path: Path, program: str) -> memoryview:
    """Both at one time; the first is killed once, and started again."""
    file = tmp_path / "mine.py"
    file.write_text(program)
    first, second = racer(file, 0), racer(file, 1)
    again = None
    try:
        first.communicate(timeout=60)
        assert first.returncode == -signal.SIGKILL
        again = racer(file, 0)
        assert [run.wait(timeout=60) for run in (again, second)] == [0, 0]
    finally:
        for run in (first, second, again):
            if run is not None:
                run.kill()
                run.communicate()
    return map_words(tmp_path / "words")


@pytest.mark.parametrize("program", [UNLOCKED, HALF_LOCKED], ids=["unlocked", "half locked"])
def test_without_a_lock_around_both_steps_updates_are_lost(tmp_path: Path, program: str) -> None:
    words = race(tmp_path, program)
    assert [words[number] for number in ADDED] == [COUNT, COUNT]
    assert words[COUNTER] < 2 * COUNT


def test_with_a_lock_that_the_kernel_frees_none_is_lost(tmp_path: Path) -> None:
    words = race(tmp_path, LOCKED)
    assert words[COUNTER] == 2 * COUNT
    assert words[KILLED]


def test_a_lock_that_stays_when_its_holder_is_killed_stops_both(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text(LOCK_OF_A_FILE_THAT_EXISTS)
    words = map_words(tmp_path / "words")
    runs = [racer(file, number) for number in (0, 1)]
    try:
        runs[0].communicate(timeout=60)
        assert runs[0].returncode == -signal.SIGKILL
        assert (tmp_path / "lock").exists()
        with pytest.raises(subprocess.TimeoutExpired):
            runs[1].wait(timeout=1)
        assert words[ADDED[1]] < COUNT
        (tmp_path / "lock").unlink()  # nothing else was in its way
        assert runs[1].wait(timeout=60) == 0
    finally:
        for run in runs:
            run.kill()
            run.communicate()


def test_a_file_without_the_function_is_one_line(tmp_path: Path) -> None:
    file = tmp_path / "mine.py"
    file.write_text("def add_two(counter): ...\n")
    words = f"--words={tmp_path / 'words'}"
    command = [sys.executable, "-m", "ipclab", "student-racer", str(file), words, "--number=0", "--count=1"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 1
    assert done.stderr.splitlines() == ["error: mine.py has no function add_one(counter)"]
