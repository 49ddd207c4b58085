"""The comparisons that exercises judge by: written whole, the newest stay, and a file that is none is said."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.experiments.speedup import kept
from labctl.experiments.speedup.results import Comparison
from labctl.terminal.errors import LabError


@pytest.fixture(autouse=True)
def state_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the files of state are."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    return tmp_path


def comparison(workers: int) -> Comparison:
    """Two rounds: 2 s alone, 1.25 s together, of which 1.5 s of CPU time computed and 0.5 s moved."""
    one = {
        "alone_wall_ns": 2_000_000_000,
        "wall_ns": 1_250_000_000,
        "computing_ns": 1_500_000_000,
        "moving_workers_ns": 300_000_000,
        "moving_coordinator_ns": 200_000_000,
    }
    return Comparison(workers, 2, "3.13.1", [one, one])


def test_what_was_measured_is_read_again() -> None:
    kept.keep("lab", "fifo", 1000, 16, [comparison(1), comparison(2)], at=5.0)
    one, two = kept.read("lab")
    assert (one.workers, one.parallel_fraction) == (1, None)
    assert (two.at, two.mechanism, two.limit, two.chunks, two.rounds, two.cpus) == (5.0, "fifo", 1000, 16, 2, 2)
    assert two.speedup == pytest.approx(1.6)
    assert two.parallel_fraction == pytest.approx(0.75)
    assert (two.computing_s, two.moving_s) == (1.5, 0.5)


def test_each_project_has_its_own() -> None:
    kept.keep("lab", "fifo", 1000, 16, [comparison(2)], at=5.0)
    assert kept.read("another") == []


def test_the_newest_stay_and_the_file_does_not_grow_for_ever() -> None:
    for at in range(60):
        kept.keep("lab", "fifo", 1000, 16, [comparison(2)], at=float(at))
    assert [it.at for it in kept.read("lab")] == [float(at) for at in range(10, 60)]


@pytest.mark.parametrize(
    "content", ["", "[]", '{"schema": 2, "comparisons": []}', '{"schema": 1, "comparisons": [{}]}']
)
def test_a_file_that_has_none_is_said(content: str) -> None:
    path = kept.path_of("lab")
    path.parent.mkdir(parents=True)
    path.write_text(content, encoding="utf-8")
    with pytest.raises(LabError, match=str(path)):
        kept.read("lab")
    with pytest.raises(LabError):
        kept.keep("lab", "fifo", 1000, 16, [comparison(2)], at=5.0)
    assert path.read_text(encoding="utf-8") == content
