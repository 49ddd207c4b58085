"""The page of all labs of a class: what is well, what is not, and where each lab's own page is."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from labctl.config.configuration import Configuration
from labctl.terminal.errors import LabError
from labctl.workshop.classroom import overview_page, roster
from labctl.workshop.classroom.overview import Row
from labctl.workshop.classroom.roster import Roster


def rows() -> list[Row]:
    """Three labs: one runs without a pair, one has lost a container, one is down."""
    base = Configuration.load(environment={**os.environ, "COMPOSE_PROJECT_NAME": "room"})
    first, second, third = roster.with_students(Roster("room"), base, 3, "<autumn>", 24000)
    return [
        Row(first, containers=9, running=9, restarts=0, pairs=[], memory_bytes=1 << 28, cpu_share=0.25),
        Row(second, containers=9, running=8, restarts=3, pairs=None, memory_bytes=1 << 28, cpu_share=0.25),
        Row(third, containers=0, running=0, restarts=0, pairs=[], memory_bytes=0, cpu_share=0.0),
    ]


def test_each_lab_that_runs_has_a_link_and_none_is_well_that_moves_nothing() -> None:
    found = rows()
    html = overview_page.page("room", found, 10)
    links = [f'href="http://127.0.0.1:{row.student.environment["LAB_PAGE_PORT"]}"' in html for row in found]
    assert links == [True, True, False]
    assert "2 of 3 labs run" in html
    assert html.count("▲ room-s0") == len(found)
    assert "&lt;autumn&gt;-01" in html
    assert 'http-equiv="refresh" content="10"' in html
    assert "refresh" not in overview_page.page("room", found, None)


def test_it_needs_no_other_file_and_no_network() -> None:
    html = overview_page.page("room", rows(), None)
    assert "src=" not in html
    assert "<link" not in html


def test_it_replaces_the_file_or_says_why_not(tmp_path: Path) -> None:
    file = tmp_path / "overview.html"
    file.write_text("old", encoding="utf-8")
    overview_page.write(file, "room", rows(), None)
    assert "2 of 3 labs run" in file.read_text(encoding="utf-8")
    assert [path.name for path in tmp_path.iterdir()] == ["overview.html"]
    with pytest.raises(LabError, match="cannot be written"):
        overview_page.write(Path("/proc/overview.html"), "room", rows(), None)
