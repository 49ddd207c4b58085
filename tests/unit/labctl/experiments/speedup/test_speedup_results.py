from __future__ import annotations

from typing import Any

import pytest

from labctl.experiments.speedup.results import Comparison
from labctl.experiments.speedup.table import remarks


def found(
    alone_s: float, wall_s: float, *, computing_s: float = 1, moving_s: float = 0, resent: int = 0
) -> dict[str, Any]:
    """One round; a third of the moving is the coordinator's."""
    return {
        "alone_wall_ns": alone_s * 1e9,
        "alone_computing_ns": alone_s * 0.9 * 1e9,
        "wall_ns": wall_s * 1e9,
        "computing_ns": computing_s * 1e9,
        "moving_workers_ns": moving_s * 2 / 3 * 1e9,
        "moving_coordinator_ns": moving_s / 3 * 1e9,
        "resent": resent,
        "duplicates": 0,
    }


def comparison(workers: int, *rounds: dict[str, Any], cpus: int = 2) -> Comparison:
    return Comparison(workers, cpus, "3.13.5", rounds)


def test_medians_over_the_rounds() -> None:
    it = comparison(
        2,
        found(1.0, 0.5, computing_s=0.9, moving_s=0.03),
        found(9.0, 6.0, computing_s=5.0, moving_s=0.3),  # a noisy neighbour
        found(1.2, 0.75, computing_s=1.2, moving_s=0.06),
    )
    assert (it.alone_s, it.wall_s, it.computing_s) == (1.2, 0.75, 1.2)
    assert it.moving_s == pytest.approx(0.06)
    assert it.waiting_s == pytest.approx(2 * 0.75 - 1.2 - 0.04)
    assert it.speedup == pytest.approx(1.6)  # the median of 2.0, 1.5 and 1.6, and not 1.2 over 0.75 by luck
    assert it.efficiency == pytest.approx(0.8)
    assert it.parallel_fraction == pytest.approx(0.75)


def test_the_json_has_every_figure_and_the_rounds() -> None:
    rounds = [found(1.0, 0.5, resent=2), found(1.0, 0.5, resent=1)]
    document = comparison(1, *rounds).as_json()
    assert document["rounds"] == rounds
    assert document["resent"] == 3
    assert document["parallel_fraction"] is None
    assert (document["speedup"], document["efficiency"]) == (2.0, 2.0)


@pytest.mark.parametrize(
    ("it", "says"),
    [
        (comparison(2, found(1.0, 0.6)), []),
        (
            comparison(1, found(1.13, 1.0, computing_s=0.95)),
            [
                "speedup of 1.13 is how far two measurements",
                "no gain",
                "1.02 s of CPU time and 113 ms without",
                "950 ms",
            ],
        ),
        (comparison(1, found(1.0, 1.25)), ["speedup of 0.80 is what handing the job over costs", "900 ms of CPU time"]),
        (comparison(4, found(1.0, 0.6)), ["4 workers on 2 CPUs", "at most"]),
        (comparison(4, found(1.0, 0.6), cpus=4), []),
        (comparison(2, found(1.0, 1.5)), ["2 workers took longer"]),
        (comparison(2, found(2.0, 0.5)), ["more than 2 times as fast"]),
        (comparison(2, found(1.0, 0.6, resent=3)), ["3 tasks without an answer were sent again"]),
    ],
)
def test_what_needs_saying_is_said(it: Comparison, says: list[str]) -> None:
    lines = remarks([it])
    assert len(lines) == (1 if says else 0)
    for words in says:
        assert words in lines[0]
