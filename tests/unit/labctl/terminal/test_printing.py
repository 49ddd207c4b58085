"""Tables and legends keep to the width of the terminal, and no figure loses a digit or its unit."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from rich.cells import cell_len
from rich.console import Console

from labctl.commands import pair_table
from labctl.config import compose_file
from labctl.measured.pairs import PairMeasures
from labctl.terminal.printing import (
    count,
    counted,
    least_width,
    new_table,
    pieces,
    show_lines,
    show_markdown,
    show_text,
)
from support.pseudo_terminal import run_on_terminal

LONG = PairMeasures(
    mechanism="anonymous_pipe",
    sent=1_234_567,
    received=1_234_560,
    lost=999_999,
    lost_by_reason={"channel": 999_999},
    duplicated=0,
    reordered=0,
    corrupt=999_999,
    skipped=999_999,
    kernel_drops=None,
    in_flight=7,
    rate=199_999.4,
    load_rate=200_000,
    size_bytes=1 << 19,
    burst=1,
    cpu_seconds_per_message=0.000_999_4,
    context_switches_per_message=12.34,
    one_way_p50_seconds=0.000_999_4,
    one_way_p99_seconds=0.099_9,
    wait="block",
    cpus="two",
)
PAIRS = [
    replace(
        LONG,
        mechanism=name,
        wait="poll" if name == "plain_file" else "block",
        kernel_drops=999_999 if name == "udp" else None,
    )
    for name in compose_file.declared()
]


def show_all_pairs() -> None:
    """For a process on a terminal."""
    pair_table.show_pairs(PAIRS)


def show_one_pair() -> None:
    """Likewise."""
    pair_table.show_pair(LONG)


def on_terminal(function: str, columns: int) -> list[str]:
    """What one of the two shows on a terminal of that width."""
    code, lines = run_on_terminal(
        ["-c", f"from unit.labctl.terminal.test_printing import {function}; {function}()"], columns
    )
    assert code == 0, lines
    return lines


def test_the_pairs_fit_80_columns_with_room_for_the_rest_of_24_lines() -> None:
    lines = on_terminal("show_all_pairs", 80)
    assert max(map(len, lines)) <= 80
    assert len(lines) - len(PAIRS) <= 21 - 11  # a pair more is a line more
    (row,) = (line for line in lines if line.startswith("anonymous_pipe"))
    assert row.split()[1:] == ["199,999", "999", "µs", "99.9", "ms", "999", "µs", "12.3", *["999,999"] * 3]
    above, below = (lines[n].split() for n in range(2))
    assert above == ["messages", "one-way", "one-way", "CPU", "context"], "a header says of what"
    assert below == ["pair", "/s", "median", "p99", "time", "switches", "skipped", "lost", "corrupt"]
    assert "Load: 200,000/s of 512 KiB. LAB_CPUS: two. Waiting receivers: block; plain_file" in " ".join(lines)


@pytest.mark.parametrize("columns", [40, 60, 70, 132])
def test_at_every_width_every_figure_is_whole(columns: int) -> None:
    lines = on_terminal("show_all_pairs", columns)
    text = " ".join(lines)
    assert "…" not in text
    assert max(map(len, lines)) <= columns
    for figure, times in (("199,999", 1), ("999 µs", 2), ("99.9 ms", 1)):
        assert text.count(figure) == times * len(PAIRS)
    assert text.count("999,999") == 3 * len(PAIRS)


@pytest.mark.parametrize("columns", [50, 80])
def test_one_pair_has_every_figure_and_what_it_is(columns: int) -> None:
    lines = on_terminal("show_one_pair", columns)
    assert max(map(len, lines)) <= columns
    text = " ".join(" ".join(lines).split())
    for fact in (
        "one-way median 999 µs",
        "sent 1,234,567",
        "on the way 7",
        "channel 999,999",
        "load 200,000/s of 512 KiB",
    ):
        assert fact in text


def test_a_table_is_cut_between_columns_and_each_piece_says_of_whom() -> None:
    table = new_table()
    for heading in ("pair", "aaaa", "bbbb", "cccc"):
        table.add_column(heading, no_wrap=True)
    table.add_row("fifo", "1", "2 µs", "3")
    assert pieces(table, 22) == [table]
    assert least_width(table) == 22
    cut = pieces(table, 21)
    assert [[str(column.header) for column in piece.columns] for piece in cut] == [
        ["pair", "aaaa", "bbbb"],
        ["pair", "cccc"],
    ]
    assert [[str(cell) for cell in column.cells] for column in cut[1].columns] == [["fifo"], ["3"]]
    assert len(pieces(table, 1)) == 3, "one column beside the first is the least there is"


def test_what_rich_draws_is_as_wide_as_was_measured() -> None:
    table = pair_table.pair_table(PAIRS)
    with (console := Console(width=200)).capture() as capture:
        console.print(table)
    assert max(len(line.rstrip()) for line in capture.get().splitlines()) == least_width(table)


def test_a_pipe_gets_lines_as_they_are_and_text_in_110_columns(capsys: pytest.CaptureFixture[str]) -> None:
    long = " ".join(["word"] * 50)
    show_lines([long])
    show_text(long)
    first, *others = capsys.readouterr().out.splitlines()
    assert first == long
    assert len(others) == 3
    assert max(map(len, others)) <= 110


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, "-"), (0.0, "0"), (999_999.0, "999,999"), (1_234_567, "1.23 M"), (98_765_432, "98.8 M"), (2.5e9, "2.5 G")],
)
def test_counts(value: float | None, text: str) -> None:
    assert count(value) == text
    assert re.fullmatch(r"-|[0-9,.]+( [MG])?", count(value))


def test_what_was_lost_is_explained_by_its_reason() -> None:
    lost = {
        "tcp": {"consumer_restart": 1047, "channel": 0},
        "udp": {"consumer_restart": 18, "channel": 2, "producer_restart": 1},
        "fifo": {},
    }
    found = [
        replace(LONG, mechanism=name, lost_by_reason=reasons, kernel_drops=2 if name == "udp" else None)
        for name, reasons in lost.items()
    ]
    assert pair_table.loss_sentences(found) == [
        "Lost in the channel while both sides ran: udp 2.",
        "Lost when a consumer ended: received and not yet counted, or in a channel that ended with it: "
        "tcp 1,047, udp 18.",
        "Lost when a producer ended: not yet sent, or in a channel that ended with it: udp 1.",
        "Dropped by the kernel since the consumer started: udp 2.",
    ]
    assert pair_table.loss_sentences(found[-1:]) == []


PAGE = """
## 실행

네임스페이스를 공유하는 두 컨테이너와 공유하지 않는 두 컨테이너의 IPC 네임스페이스를 봅니다. 명령은 `lsns`입니다.

```sh
./lab status
```
"""


def show_a_page() -> None:
    """A page in Markdown, in a language whose letters are two columns wide."""
    show_markdown(PAGE)


def test_a_page_in_markdown_is_set_for_the_terminal() -> None:
    lines = [line.rstrip() for line in on_terminal("show_a_page", 60)]
    assert max(map(cell_len, lines)) <= 60
    text = " ".join(line.strip() for line in lines)
    assert "컨테이너의 IPC" in text
    assert "./lab status" in text
    assert not {"#", "`"} & set(text)


def test_a_page_in_markdown_is_as_it_is_for_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    show_markdown(PAGE)
    assert capsys.readouterr().out == PAGE


@pytest.mark.parametrize(("number", "said"), [(0, "0 volumes"), (1, "1 volume"), (1234, "1,234 volumes")])
def test_one_thing_has_no_plural(number: int, said: str) -> None:
    assert counted(number, "volume") == said
