"""The harness with real endpoints and real channels, without containers: what it reports is what happened."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from ipclab.bench import python
from ipclab.bench.request import Shape
from ipclab.contract.channel import Wait
from labctl.experiments.bench.cells import Cell, Cpus, Place, Row, Selection, rows_of
from labctl.experiments.bench.figures import Figure
from labctl.experiments.bench.harness import Groups, Harness, Progress
from labctl.experiments.bench.run import RunFailed, request_of, run
from support.bench_agents import local_groups
from support.bench_endpoint import describe as describe_faulty
from support.bench_figures import a_cell

_FAULTY = Path(__file__).parents[4] / "support" / "bench_endpoint.py"
_CPUS = (0, 0)


@pytest.fixture(scope="module")
def groups(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Groups]:
    with local_groups(tmp_path_factory.mktemp("bench"), Place.IPC, Place.VOLUME, Place.NETWORK) as found:
        yield found


@pytest.fixture(scope="module")
def faulty(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The endpoint with faults, as an executable: where it lies, and which Python runs it, the file says itself."""
    script = tmp_path_factory.mktemp("reference") / "faulty"
    tests = Path(__file__).parents[4]
    script.write_text(f'#!/bin/sh\nPYTHONPATH={tests} exec {sys.executable} {_FAULTY} "$@"\n')
    script.chmod(0o755)
    return str(script)


def cell(row: Row, size: int = 64, shape: Shape = Shape.ONE_WAY, *, touched: bool = False, copies: bool = True) -> Cell:
    return Cell(row, size, shape, Wait.BLOCK, Cpus.ONE, copies, touched)


def rows_by_name(command: str, described: dict[str, object]) -> dict[str, Row]:
    rows, _ = rows_of({command: described})
    return {row.mechanism: row for row in rows}


OWN = rows_by_name("python", python.describe())


def measured(groups: Groups, *cells: Cell, repeat: int = 2) -> list[Figure]:
    told: list[Progress] = []
    figures = Harness(groups, _CPUS, told.append).measure(cells, repeat, 0.1)
    possible = sum(not one.why_not for one in cells)
    assert [progress.done for progress in told] == list(range(possible * (repeat + 1)))
    return figures


@pytest.mark.parametrize("shape", Shape)
@pytest.mark.parametrize("name", sorted(OWN))
def test_every_mechanism_is_measured_in_every_shape(groups: Groups, name: str, shape: Shape) -> None:
    for figure in measured(
        groups, *(cell(OWN[name], 1024, shape, touched=touched) for touched in (False, True)), repeat=1
    ):
        assert (figure.failed, figure.why_not) == ("", "")
        assert figure.actual_size == 1024
        assert figure.us > 0
        assert figure.cpu_us > 0
        if OWN[name].reliable:
            assert figure.lost_share == 0


def test_shared_memory_is_measured_without_copies(groups: Groups) -> None:
    lends = [row for row in OWN.values() if False in row.copies]
    cells = [
        cell(row, 1 << 20, shape, touched=touched, copies=False)
        for row in lends
        for shape in Shape
        for touched in (False, True)
    ]
    for figure in measured(groups, *cells, repeat=1):
        assert (figure.failed, figure.actual_size) == ("", 1 << 20)


def test_a_known_delay_is_the_time_that_is_reported(groups: Groups, faulty: str) -> None:
    """A sleep ends late and never early (nanosleep(2)): what is reported is the delay, and what the machine adds."""
    row = rows_by_name(faulty, describe_faulty())["fifo.delay_ms=5"]
    one_way, round_trip = measured(groups, cell(row), cell(row, shape=Shape.ROUND_TRIP), repeat=1)
    for figure in (one_way, round_trip):
        assert figure.failed == ""
        assert figure.us >= 5000
        (outcome,) = figure.runs
        # The parts add up to the whole, so a time that is too long is no time of a message.
        assert sum(outcome.samples_ns) <= outcome.seconds * 1e9
        assert len(outcome.samples_ns) >= outcome.count - 1
    # One way these are times between two arrivals: after a late one the next may follow sooner.
    fastest = round_trip.percentile_us(1)
    assert fastest is not None
    assert fastest >= 5000


def test_a_known_loss_is_counted_exactly_where_the_traits_allow_it(groups: Groups, faulty: str) -> None:
    subject = cell(rows_by_name(faulty, describe_faulty())["udp.lose=100"])
    group = groups[Place.NETWORK]
    # So few small messages fit into the buffer of the socket (udp(7), SO_RCVBUF): no other message is dropped.
    for count, lost in ((50, 0), (51, 1), (150, 1), (151, 2)):
        request = request_of(subject, count, group, _CPUS, number=900 + count)
        outcome = run(subject, request, group, 20)
        assert (outcome.count, outcome.received, outcome.lost) == (count, count - lost, lost)
        assert outcome.reordered == outcome.duplicated == 0


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("lose=100", "1 of 120 messages lost, 0 duplicated"),
        ("swap=100", "1 of 120 messages out of order"),
        ("flip=100", "1 of 120 messages arrived with other bytes than were sent"),
        ("die=100", "producer: exit code 9"),
    ],
)
def test_what_the_traits_forbid_fails_the_run(groups: Groups, faulty: str, fault: str, says: str) -> None:
    subject = cell(rows_by_name(faulty, describe_faulty())[f"fifo.{fault}"], touched=True)
    group = groups[Place.VOLUME]
    request = request_of(subject, 120, group, _CPUS, number=800)
    with pytest.raises(RunFailed, match=says):
        run(subject, request, group, 20)
    (after,) = measured(groups, cell(OWN["fifo"]), repeat=1)
    assert after.failed == "", "the next run is not disturbed"


def test_a_cell_that_fails_is_said_and_the_bench_goes_on(groups: Groups, faulty: str) -> None:
    row = rows_by_name(faulty, describe_faulty())["fifo.lose=10"]
    failing, good = measured(groups, cell(row), cell(OWN["fifo"]), repeat=3)
    assert failing.failures
    assert "lost" in failing.why_not or failing.runs
    assert (good.failures, len(good.runs)) == (0, 3)


def test_a_size_over_the_limit_is_a_cell_that_says_so(groups: Groups) -> None:
    large, small = measured(groups, cell(OWN["posix_mq"], 65536), cell(OWN["posix_mq"], 64), repeat=1)
    assert large.why_not == "not possible: limit 8,192 B"
    assert small.why_not == ""


def test_an_endpoint_that_hangs_is_killed(groups: Groups) -> None:
    subject = cell(OWN["fifo"])
    group = groups[Place.VOLUME]
    request = request_of(subject, 120, group, _CPUS, number=850)
    with pytest.raises(RunFailed, match="consumer: killed after 0 s"):
        run(subject, request, group, 0.0)
    (after,) = measured(groups, subject, repeat=1)
    assert after.failed == ""


def test_no_run_of_a_long_bench_meets_the_name_of_an_earlier_one(groups: Groups) -> None:
    """A library of others leaves its socket behind; keys and ports begin again, names do not."""
    cell, group = a_cell("fifo", 64), groups[Place.VOLUME]
    requests = [request_of(cell, 10, group, _CPUS, number) for number in range(1, 5000)]
    paths = [address.path for request in requests for address in (request.address, request.back)]
    assert len(set(paths)) == len(paths)


def test_a_selection_has_both_rows_of_every_size_and_never_what_a_row_has_not() -> None:
    rows = list(OWN.values())
    selection = Selection(
        mechanisms=("fifo", "sysv_shm"),
        sizes=(64, 1024),
        shapes=(Shape.ONE_WAY, Shape.ROUND_TRIP),
        waits=(Wait.BLOCK, Wait.SPIN),
        cpus=(Cpus.ONE, Cpus.TWO),
        copies=(True,),
        still=frozenset({Shape.ROUND_TRIP}),
    )
    cells = selection.cells(rows)
    assert {one.row.mechanism for one in cells} == {"fifo", "sysv_shm"}
    assert len(cells) == len(set(cells)) == 2 * 2 * 2 * 2 * 3
    assert {one.touched for one in cells if one.shape is Shape.ROUND_TRIP} == {False}
    assert {one.why_not for one in cells if one.row.mechanism == "fifo"} == {"", "not possible: cannot spin"}


def test_a_missing_reference_is_said_once() -> None:
    rows, absent = rows_of({"python": python.describe(), "zeromq": {"absent": "pyzmq is not in this image"}})
    assert len(rows) == len(OWN)
    assert absent == [
        "pyzmq is not in this image",
        "the C reference is absent: this image was built without a compiler",
    ]


def test_a_limit_is_measured_once_and_a_copy_at_every_size() -> None:
    described = {**python.describe()["rows"][0], "implementation": "c", "limit": True, "together": True}
    rows, _ = rows_of(
        {"limits": {"rows": [{**described, "mechanism": name} for name in ("memory_copy", "system_call")]}}
    )
    selection = Selection(("fifo",), (64, 1024), (Shape.ONE_WAY,), (Wait.BLOCK,), (Cpus.ONE,), (True, False))
    assert sorted((one.row.mechanism, one.size) for one in selection.cells(rows)) == [
        ("memory_copy", 64),
        ("memory_copy", 1024),
        ("system_call", 64),
    ]
