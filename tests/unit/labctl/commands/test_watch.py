"""What `./lab watch` keeps on the screen while pairs and Prometheus come and go."""

from __future__ import annotations

import io
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace

import pytest
from rich.console import Console

from labctl.commands.watch import Screen, as_table, conditions, summary
from labctl.config import compose_file
from labctl.lab.prometheus import PrometheusSilent
from labctl.measured import pairs
from labctl.measured.pairs import Row, Totals
from support.prometheus import Vector, prometheus_that_says

FIFO = Row(
    "fifo",
    True,
    rate=200.4,
    p50_s=1.5e-4,
    p99_s=0.0021,
    in_flight=1.0,
    skipped=5.0,
    lost=0.0,
    corrupt=0.0,
    cpu_s=8e-5,
    switches=2.04,
)
TCP = Row("tcp", True, rate=1000.0, lost=3.0)
TOTALS = Totals(
    pairs=10.0, rate=2200.4, bytes_rate=9.76 * 2**20, cpu_cores=0.431, lost=0.0, skipped=7.0, containers=29.0
)


def shown(what: object) -> list[str]:
    console = Console(file=io.StringIO(), width=120)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return [re.sub(r"  +", " ", line.strip()) for line in console.file.getvalue().splitlines()]


def screen_of(*answers: list[Row] | PrometheusSilent) -> Screen:
    """A screen whose reader gives these answers, one after the other."""
    left: Iterator[list[Row] | PrometheusSilent] = iter(answers)

    def read() -> tuple[Totals, list[Row]]:
        answer = next(left)
        if isinstance(answer, PrometheusSilent):
            raise answer
        return Totals(pairs=len(answer)), answer

    return Screen(read)


def test_a_row_has_its_figures_with_units() -> None:
    lines = shown(as_table([FIFO, TCP]))
    assert "fifo 200 150 µs 2.1 ms 1 5 0 80.0 µs 2.0" in lines
    assert "tcp 1,000 - - - - 3 - -" in lines


def test_corrupt_messages_get_a_column_and_none_get_a_sentence() -> None:
    assert "corrupt" not in " ".join(shown(as_table([FIFO, TCP])))
    assert "No message was corrupt." in conditions([FIFO, TCP])
    rows = [replace(FIFO, corrupt=7.0), TCP]
    assert "fifo 200 150 µs 2.1 ms 1 5 0 7 80.0 µs 2.0" in shown(as_table(rows))
    assert "No message was corrupt." not in conditions(rows)


def test_pairs_with_messages_of_several_sizes_are_compared_by_the_mebibyte() -> None:
    rows = [replace(FIFO, size_bytes=1024.0), replace(TCP, size_bytes=1024.0)]
    assert "/MiB" not in " ".join(shown(as_table(rows)))
    rows = [replace(FIFO, size_bytes=65_536.0, switches=0.123), replace(TCP, size_bytes=8192.0, cpu_s=1e-5)]
    lines = shown(as_table(rows))
    assert "fifo 200 150 µs 2.1 ms 1 5 0 80.0 µs 1.3 ms 0.12" in lines
    assert "tcp 1,000 - - - - 3 10.0 µs 1.3 ms -" in lines
    assert "CPU/MiB: that CPU time by the size of the message." in conditions(rows)


def test_a_pair_that_stopped_keeps_its_row_and_no_figure() -> None:
    screen = screen_of([FIFO, TCP], [TCP])
    screen.look()
    screen.look()
    assert "fifo no answer - - - - - - -" in shown(screen)
    assert screen.rows == [Row("fifo"), TCP]


def test_it_is_one_screen_of_24_lines_and_80_columns_with_every_column() -> None:
    lines = screen_lines(80)
    assert len(lines) - len(compose_file.declared()) < 24 - 11  # a pair more is a line more
    assert max(map(len, lines)) <= 80
    (row,) = (line for line in lines if line.startswith("anonymous_pipe"))
    assert row.split()[1:] == ["19,999", "99.9", "µs", "99.9", "ms", "9,999", "99,999", "99,999", "99.9", "µs", "12.3"]


def test_a_narrow_window_names_what_it_has_no_room_for() -> None:
    lines = screen_lines(60)
    assert len(lines) - len(compose_file.declared()) < 24 - 11  # a pair more is a line more
    assert max(map(len, lines)) <= 60
    assert "In a window of 78 columns: lost, CPU time, context switches." in lines
    assert any(line.startswith("anonymous_pipe   19,999 99.9 µs 99.9 ms  9,999  99,999") for line in lines)


def screen_lines(columns: int) -> list[str]:
    """What a window of so many columns shows of all pairs, each figure as long as it gets."""
    figures = Row("", True, 19_999.0, 9.99e-5, 9.99e-2, 9_999.0, 99_999.0, 0.0, 99_999.0, 9.99e-5, 12.3, "two")
    screen = Screen(lambda: (TOTALS, [replace(figures, mechanism=name) for name in compose_file.declared()]))
    screen.look()
    console = Console(file=io.StringIO(), width=columns)
    console.print(screen)
    assert isinstance(console.file, io.StringIO)
    return [line.rstrip() for line in console.file.getvalue().splitlines()]


def test_all_pairs_together_are_one_line() -> None:
    works = f"10 of {len(compose_file.declared())} pairs at work"
    rest = "2,200 messages/s, 9.76 MiB/s, 43 % of a core, 7 skipped, 0 lost, 29 containers"
    assert summary(TOTALS) == f"{works}, {rest}"
    screen = screen_of([FIFO, TCP])
    screen.look()
    assert shown(screen)[0].startswith("2 of ")


def test_totals_are_not_measured_where_prometheus_knows_nothing() -> None:
    answers: dict[str, Vector] = {"count(mechanism": [({}, 0.0)], "cpu_seconds": [({}, 0.5)]}
    with prometheus_that_says(answers) as prometheus:
        assert pairs.read_totals(prometheus) == Totals(pairs=0.0, cpu_cores=0.5)


def test_the_conditions_are_shown() -> None:
    rows = [replace(FIFO, cpus="one"), replace(TCP, cpus="two"), Row("udp")]
    assert "LAB_CPUS: one, two." in conditions(rows)


def test_a_new_pair_gets_a_row() -> None:
    screen = screen_of([TCP], [FIFO, TCP])
    screen.look()
    screen.look()
    assert screen.rows == [FIFO, TCP]


def test_prometheus_may_go_away_and_come_back() -> None:
    gone = PrometheusSilent("Prometheus does not answer at nowhere", hint="wait")
    screen = screen_of([FIFO], gone, [TCP])
    screen.look()
    with pytest.raises(PrometheusSilent):
        screen.look()
    lines = shown(screen)
    assert any("Prometheus does not answer at nowhere; these are the figures of" in line for line in lines)
    assert any(line.startswith("fifo 200") for line in lines), "the last figures stay"
    screen.look()
    assert not any("does not answer" in line for line in shown(screen))


def test_what_prometheus_does_not_know_is_not_measured() -> None:
    one = [({"mechanism": "fifo"}, 1.0)]
    answers = {
        "cpus": [({"mechanism": "tcp", "cpus": "two"}, 2.0)],
        "count by": [*one, ({"mechanism": "tcp"}, 1.0)],
        "p50_5s": [({"mechanism": "tcp"}, 0.25)],
    }
    with prometheus_that_says(answers) as prometheus:
        assert pairs.read_rows(prometheus) == [Row("fifo", True), Row("tcp", True, p50_s=0.25, cpus="two")]


def test_without_a_terminal_it_ends_by_itself_and_says_what_is_wrong() -> None:
    from labctl.lab.ports import free_port

    done = subprocess.run(
        [sys.executable, "-m", "labctl", "watch"],
        env={"LAB_PROMETHEUS_PORT": str(free_port())},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert "Prometheus does not answer" in done.stderr
    assert len(done.stderr.splitlines()) == 1
