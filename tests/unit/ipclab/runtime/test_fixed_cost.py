"""The CPU time of a container beside its loop, with real threads and clocks."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import pytest

from ipclab.runtime.fixed_cost import FixedCost, container_ns

BUSY_S = 0.2


def parts_of(cost: FixedCost) -> dict[str, float]:
    return {sample.labels[0]: float(sample.value) for sample in cost.samples() if isinstance(sample.value, float)}


def be_busy() -> None:
    begin = time.thread_time()
    while time.thread_time() - begin < BUSY_S:
        pass


def test_a_loop_without_messages_is_a_part_and_another_thread_is_none_of_it(tmp_path: Path) -> None:
    cost = FixedCost(lambda: 0, has_messages=False, cgroup=tmp_path)
    be_busy()
    before = parts_of(cost)
    assert before["loop"] >= BUSY_S
    other = threading.Thread(target=be_busy)
    other.start()
    other.join()
    after = parts_of(cost)
    assert after["threads"] - before["threads"] >= BUSY_S * 0.9
    assert after["loop"] - before["loop"] < BUSY_S / 2


def test_the_loop_of_messages_is_no_part(tmp_path: Path) -> None:
    cost = FixedCost(lambda: 0, has_messages=True, cgroup=tmp_path)
    be_busy()
    parts = parts_of(cost)
    assert set(parts) == {"page", "threads"}
    assert parts["threads"] < BUSY_S / 2


def test_the_pages_are_a_part_of_their_own_and_other_processes_are_the_rest_of_the_container(tmp_path: Path) -> None:
    (tmp_path / "cpu.stat").write_text("usage_usec 1000000\nuser_usec 5\n")
    cost = FixedCost(lambda: 250_000_000, has_messages=True, cgroup=tmp_path)
    (tmp_path / "cpu.stat").write_text("usage_usec 61000000\nuser_usec 5\n")
    parts = parts_of(cost)
    assert parts["page"] == 0.25
    assert 50 < parts["processes"] <= 60
    assert parts["threads"] == 0, "less than nothing is nothing"


def test_no_part_ever_falls_since_prometheus_would_take_that_for_a_restart(tmp_path: Path) -> None:
    usage, pages_ns = tmp_path / "cpu.stat", [0]
    usage.write_text("usage_usec 0\n")
    cost = FixedCost(lambda: pages_ns[0], has_messages=False, cgroup=tmp_path)
    usage.write_text("usage_usec 60000000\n")
    pages_ns[0] = 250_000_000
    before = parts_of(cost)
    # The process has run on, and the container's clock, which the kernel brings up to date at its ticks, has not.
    be_busy()
    pages_ns[0] = 0
    after = parts_of(cost)
    assert set(after) == {"page", "threads", "processes", "loop"}
    assert all(after[part] >= before[part] for part in before), (before, after)


@pytest.mark.parametrize(
    ("file", "content", "nanoseconds"),
    [
        ("cpu.stat", "usage_usec 12\nuser_usec 3\n", 12_000),
        ("cpuacct/cpuacct.usage", "12345\n", 12_345),
        ("cpu,cpuacct/cpuacct.usage", "12345\n", 12_345),
        ("cpu.stat", "nr_periods 0\n", None),
        ("cpuacct/cpuacct.usage", "", None),
    ],
)
def test_both_kinds_of_cgroups_are_read(tmp_path: Path, file: str, content: str, nanoseconds: int | None) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text(content)
    assert container_ns(tmp_path) == nanoseconds
