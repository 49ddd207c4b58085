"""The benchmark runs and says under which conditions; how fast anything was decides nothing."""

from __future__ import annotations

import os

import pytest

from bench import rig, speed
from bench.rig import Cpus
from bench.rows import SMALL, Row, Shape, rows
from ipclab import mechanisms


def test_every_mechanism_that_moves_messages_at_once_has_rows() -> None:
    assert {row.mechanism for row in rows()} == set(mechanisms.names()) - {"plain_file"}
    for row in rows():
        traits = mechanisms.load(row.mechanism).traits
        assert row.size <= traits.max_message_bytes
        assert row.wait in traits.waits


@pytest.mark.parametrize(
    "row",
    [
        Row("pipe", "anonymous_pipe", Shape.ROUND_TRIP, SMALL),
        Row("Unix", "unix_stream", Shape.ROUND_TRIP, SMALL),
        Row("mmap", "mmap_file", Shape.ROUND_TRIP, SMALL),
        Row("pipe", "anonymous_pipe", Shape.ONE_WAY_CHECKED, SMALL),
        Row("FIFO", "fifo", Shape.ONE_WAY, 1 << 20),
        Row("ring", "mmap_file", Shape.ONE_WAY_BATCHED, SMALL),
    ],
    ids=lambda row: f"{row.name}-{row.shape}",
)
def test_a_row_is_measured_and_every_run_is_accounted_for(row: Row) -> None:
    before = os.sched_getaffinity(0)
    (figure,) = speed.measure([row], rounds=2)
    shown = figure.as_json()
    assert shown["clean_runs"] + shown["dropped_runs"] == 2
    assert (shown["us"] is None) == (shown["clean_runs"] == 0)
    assert shown["us"] is None or shown["us"] > 0
    assert (shown["cpus"], shown["size_bytes"], shown["wait_policy"]) == ("one", row.size, "block")
    assert os.sched_getaffinity(0) == before


def test_both_processes_run_on_the_cpu_they_were_given() -> None:
    seen = []

    def parent() -> float:
        seen.append(os.sched_getaffinity(0))
        return 1.0

    def child() -> None:
        if os.sched_getaffinity(0) != {rig.cpus(Cpus.ONE)[1]}:
            raise AssertionError

    rig.run(Cpus.ONE, parent, child)
    assert seen == [{rig.cpus(Cpus.ONE)[0]}]


def test_a_child_that_fails_is_said() -> None:
    with pytest.raises(ChildProcessError):
        rig.run(Cpus.ONE, lambda: 1.0, lambda: os._exit(3))
