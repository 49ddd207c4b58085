"""The progress that `./lab exercise` leaves, as metrics."""

from __future__ import annotations

import json
from pathlib import Path

from ipclab.bench.last_bench import LastBench
from ipclab.kernel_exporter import exercises
from ipclab.metrics import definitions as metrics
from labctl.workshop.exercise import publication
from labctl.workshop.exercise.progress import Progress, Record

SECRET = "tcp"
BEGUN = Record(100.0, "anna", values={"victim": SECRET}, guess={"pair": SECRET}, hints=2)
JUDGED = Record(
    200.0, "anna", checks=3, checked_at=250.0, outcome="not yet", saw='"200" /s', waits_for="0\n", language="ko"
)


def test_what_was_published_is_what_the_page_can_ask_for(tmp_path: Path) -> None:
    file = tmp_path / "exercises.json"
    progress = Progress(tmp_path / "own.json", {"01_a": BEGUN, "02_b": JUDGED})
    file.write_text(json.dumps(publication.document(progress)))
    found = list(LastBench(file, exercises.samples).samples())
    infos = {sample.labels for sample in found if sample.definition is metrics.EXERCISE_INFO}
    assert infos == {("01_a", "begun", "", "", "", ""), ("02_b", "begun", "not yet", '"200" /s', "0\n", "ko")}
    values = {(s.definition.name, s.labels): s.value for s in found}
    assert values[metrics.EXERCISE_CHECKS.name, ("02_b",)] == 3
    assert values[metrics.EXERCISE_HINTS.name, ("01_a",)] == 2
    assert values[metrics.EXERCISE_CHECKED.name, ("02_b",)] == 250
    assert (metrics.EXERCISE_CHECKED.name, ("01_a",)) not in values


def test_what_the_student_must_find_out_is_not_published(tmp_path: Path) -> None:
    progress = Progress(tmp_path / "own.json", {"18_mystery": BEGUN})
    assert SECRET not in json.dumps(publication.document(progress))


def test_a_file_of_something_else_has_no_samples(tmp_path: Path) -> None:
    file = tmp_path / "exercises.json"
    for content in ("", "[]", '{"exercises": 1}', '{"exercises": {"01_a": {}}}'):
        file.write_text(content)
        assert list(LastBench(file, exercises.samples).samples()) == []
        file.unlink()
