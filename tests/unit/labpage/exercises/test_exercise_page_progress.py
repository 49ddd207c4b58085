"""The progress, as Prometheus gives it."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import cast

from prometheus_client.parser import text_string_to_metric_families

from ipclab.kernel_exporter import exercises
from ipclab.metrics.definitions import Role
from ipclab.metrics.exposition import Page
from labctl.workshop.exercise import publication
from labctl.workshop.exercise.progress import Progress as Kept
from labctl.workshop.exercise.progress import Record, Solved
from labpage.exercises import progress
from labpage.prometheus import Prometheus, Sample


class Scraped:
    """What a scrape of the exporter's page has."""

    def __init__(self, kept: Kept) -> None:
        page = Page("", Role.BENCH, lambda: exercises.samples(publication.document(kept))).text()
        families = text_string_to_metric_families(page)
        self.samples = [sample for family in families for sample in family.samples]

    async def query(self, expression: str, every_s: float = 1.0) -> list[Sample]:
        del every_s
        return [Sample(found.labels, found.value) for found in self.samples if found.name == expression]


def read(kept: Kept) -> dict[str, dict[str, object]]:
    return asyncio.run(progress.read(cast(Prometheus, Scraped(kept))))


def test_what_the_check_said_comes_back_as_it_was() -> None:
    said = 'fifo: "200" msg/s\nand a \\ backslash'
    record = Record(
        10.0, "a", checks=2, hints=1, checked_at=20.5, outcome="not yet", saw=said, waits_for="닿음", language="ko"
    )
    found = read(Kept(Path("none"), {"06_one_host_only": record}))["06_one_host_only"]
    assert found == {
        "state": "begun",
        "outcome": "not yet",
        "saw": said,
        "waits_for": "닿음",
        "language": "ko",
        "checks": 2,
        "hints": 1,
        "solution_shown": 0,
        "started_at": 10.0,
        "checked_at": 20.5,
    }


def test_an_exercise_that_was_solved_and_reset_is_solved_without_a_check() -> None:
    name = "06_one_host_only"
    kept = Kept(Path("none"), solved_before={name: Solved(10.0, "a")})
    found = read(kept)[name]
    assert (found["state"], found["outcome"], found["checks"], found["started_at"]) == ("solved", "", 0, None)
    kept.records[name] = Record(20.0, "a", checks=1, outcome="not yet", saw="nothing")
    found = read(kept)[name]
    assert (found["state"], found["outcome"], found["checks"], found["started_at"]) == ("solved", "not yet", 1, 20.0)


def test_an_exercise_that_nobody_began_is_not_there() -> None:
    assert read(Kept(Path("none"))) == {}
