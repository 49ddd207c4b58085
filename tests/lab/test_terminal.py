"""What a person reads on a terminal of the running lab: one screen, and whole figures."""

from __future__ import annotations

import re

import pytest

from lab.harness.stack import Stack, wait_until
from labctl.config import compose_file
from support.pseudo_terminal import run_on_terminal

_LABCTL = ["-m", "labctl"]
_RATE = re.compile(r"\d+ +\d+(\.\d)? (µs|ms) +\d+(\.\d)? (µs|ms)")


def on_screen(stack: Stack, command: str, columns: int) -> list[str]:
    """What a terminal of 24 lines and so many columns shows."""
    code, lines = run_on_terminal([*_LABCTL, *command.split()], columns, environment=stack.environment)
    assert code == 0, lines
    return lines


def test_status_is_one_screen_of_24_lines_and_80_columns(stack: Stack) -> None:
    def all_measured() -> list[str] | None:
        lines = on_screen(stack, "status", 80)
        rows = [line for line in lines if line.split()[:1] and line.split()[0] in compose_file.declared()]
        return lines if len(rows) == len(compose_file.declared()) and all(map(_RATE.search, rows)) else None

    lines = wait_until("figures of every pair", 30, all_measured)
    assert len(lines) < 24, lines
    assert max(map(len, lines)) <= 80, lines
    assert "More: ./lab status MECHANISM, --containers, --kernel, --all." in " ".join(lines)


@pytest.mark.parametrize(
    "command", ["status sysv_mq", "status --kernel", "status --containers", "status --all", "matrix"]
)
@pytest.mark.parametrize("columns", [60, 80])
def test_no_cell_is_cut(stack: Stack, command: str, columns: int) -> None:
    lines = on_screen(stack, command, columns)
    assert lines
    assert not [line for line in lines if "…" in line]


def test_one_pair_has_its_figures_its_objects_and_its_containers(stack: Stack) -> None:
    text = "\n".join(on_screen(stack, "status sysv_mq", 80))
    for words in ("one-way median", "skipped", "queue 0x", "sysv-mq-consumer", "sysv-mq-producer"):
        assert words in text
    assert "fifo-consumer" not in text


def test_logs_are_those_of_both_sides_in_the_order_of_time(stack: Stack) -> None:
    done = stack.lab("logs", "fifo", "--tail", "5")
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines == sorted(lines)
    assert {line.split()[2] for line in lines} <= {"fifo-consumer", "fifo-producer"}
    assert len(lines) <= 10
