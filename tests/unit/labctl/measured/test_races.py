"""What `./lab status` and `./lab sync` make of what Prometheus says of the races."""

from __future__ import annotations

import pytest

from ipclab.pair.race import BURST_NS, MAX_STEPS
from labctl.commands import tables
from labctl.measured import races
from labctl.measured.races import Race
from support.prometheus import Vector, prometheus_that_says

PAIR = {"mechanism": "sysv_shm"}
ON, OFF = {**PAIR, "sync": "on"}, {**PAIR, "sync": "off"}


def switch(consumer: int, producer: int) -> Vector:
    return [({**PAIR, "role": "consumer"}, consumer), ({**PAIR, "role": "producer"}, producer)]


COUNTS: dict[str, Vector] = {
    "updates_lost_total": [(ON, 0), (OFF, 40)],
    "records_read_total": [(ON, 50), (OFF, 60)],
    "records_torn_total": [(ON, 0), (OFF, 7)],
    "updates_total": [(ON, 100), (OFF, 90)],
}


def test_a_row_for_each_condition_that_was_run() -> None:
    with prometheus_that_says({**COUNTS, "switch_on": switch(0, 0)}) as prometheus:
        assert races.measure(prometheus, ["fifo", "sysv_shm"]) == [
            Race("sysv_shm", True, False, 100, 0, 50, 0),
            Race("sysv_shm", False, True, 90, 40, 60, 7),
        ]
        assert races.updates(prometheus, "sysv_shm", True) == 100


def test_what_runs_now_has_a_row_before_anything_was_counted() -> None:
    with prometheus_that_says({"switch_on": switch(1, 0)}) as prometheus:
        assert races.measure(prometheus, ["sysv_shm"]) == [Race("sysv_shm", True, True, 0, 0, 0, 0)]


def test_nobody_races_where_nothing_is_shown() -> None:
    with prometheus_that_says({}) as prometheus:
        assert races.measure(prometheus, ["fifo"]) == []


@pytest.mark.parametrize(
    ("says", "follow"), [(switch(0, 0), True), (switch(0, 1), False), (switch(1, 0), False), (switch(0, 0)[:1], False)]
)
def test_both_sides_must_follow(says: Vector, follow: bool) -> None:
    with prometheus_that_says({"switch_on": says}) as prometheus:
        assert races.both_sides_follow(prometheus, "sysv_shm", False) is follow
        assert not races.both_sides_follow(prometheus, "mmap_file", False)


def test_a_side_that_has_just_changed_does_not_follow_yet() -> None:
    with prometheus_that_says({"max_over_time": switch(1, 0), "min_over_time": switch(0, 0)}) as prometheus:
        assert not races.both_sides_follow(prometheus, "sysv_shm", False)
        assert not races.both_sides_follow(prometheus, "sysv_shm", True)


def test_the_table_says_how_it_was_counted(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show_races([])
    assert capsys.readouterr().out == ""
    tables.show_races([Race("sysv_shm", True, False, 1000, 0, 50, 0), Race("sysv_shm", False, True, 90, 40, 60, 7)])
    rows = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert ["sysv_shm", "on", "1,000", "0", "50", "0"] in rows
    assert ["sysv_shm", "off,", "now", "90", "40", "60", "7"] in rows


def test_the_switches_of_an_append_are_shown_as_the_producer_says() -> None:
    plain_file = {"mechanism": "plain_file", "role": "producer"}
    says: Vector = [({**plain_file, "switch": "lock"}, 1), ({**plain_file, "switch": "fsync"}, 0)]
    with prometheus_that_says({"ipc_switch_on{role='producer',switch!='sync'}": says}) as prometheus:
        found = races.read(prometheus)
    assert found == {"plain_file": {"lock": True, "fsync": False}}
    assert races.lines(found) == ["plain_file: fsync off, lock on"]


def test_the_table_says_that_it_is_a_burst_and_that_a_yield_makes_it_lose(capsys: pytest.CaptureFixture[str]) -> None:
    tables.show_races([Race("sysv_shm", False, True, 90, 40, 60, 7)])
    said = " ".join(capsys.readouterr().out.split())
    assert f"burst of at most {BURST_NS // 1_000_000} ms" in said
    assert f"up to {MAX_STEPS} times" in said
    assert "sched_yield" in said
