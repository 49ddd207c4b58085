"""What the kernel says of a thread's waits for a CPU."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from ipclab.linux import scheduling


def test_a_thread_that_sleeps_is_given_a_cpu_as_often_as_it_wakes() -> None:
    before = scheduling.of_this_thread()
    if before is None:
        pytest.skip("this kernel does not count it (CONFIG_SCHED_INFO)")
    for _ in range(50):
        time.sleep(0.0002)
    after = scheduling.of_this_thread()
    assert after is not None
    assert after.runs - before.runs >= 50
    assert after.delay_ns >= before.delay_ns  # a CPU that is free makes nobody wait; the next test has a wait


def test_two_processes_on_one_cpu_wait_for_each_other() -> None:
    """What is counted is time in which the thread could have run."""
    before = scheduling.of_this_thread()
    if before is None:
        pytest.skip("this kernel does not count it (CONFIG_SCHED_INFO)")
    cpus = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {min(cpus)})
    other = os.fork()
    until = time.monotonic() + 0.3
    while time.monotonic() < until:
        pass
    if not other:
        os._exit(0)
    os.waitpid(other, 0)
    os.sched_setaffinity(0, cpus)
    after = scheduling.of_this_thread()
    assert after is not None
    assert after.delay_ns - before.delay_ns > 30_000_000


@pytest.mark.parametrize("content", [None, b"", b"0 0\n", b"one two three\n"])
def test_a_kernel_that_does_not_count_it_says_nothing(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "schedstat"
    if content is not None:
        path.write_bytes(content)
    assert scheduling.of_this_thread(path) is None
