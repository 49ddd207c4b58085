"""What an attempt makes of what it sees: growth since the start, over restarts and resets; and a lab that is silent."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.lab.prometheus import Line, Sample
from labctl.terminal.errors import LabError
from labctl.workshop.exercise import exercise, judge, recording
from labctl.workshop.exercise.attempt import Attempt
from labctl.workshop.exercise.recording import Recorder, Recording, Replay
from labctl.workshop.exercise.verdict import Outcome

STARTED_AT = 100.0


def grown(now: float | None, before: float | None) -> float | None:
    """The growth of a counter that had these values."""
    vectors = {"query sum(c{m='x'})": now, "query sum(c{m='x'} @ 100.000)": before}
    answers = {
        question: [[] if value is None else [{"labels": {}, "value": value}]] for question, value in vectors.items()
    }
    return Attempt(exercise.find("1"), Replay(Recording("01", "", STARTED_AT, 200.0, {}, {}, answers))).grown(
        "c", "m='x'"
    )


def test_a_counter_counts_from_the_start_on() -> None:
    assert grown(now=70.0, before=50.0) == 20.0
    assert grown(now=70.0, before=None) == 70.0
    assert grown(now=None, before=50.0) is None


def test_a_counter_that_was_reset_counts_from_its_reset_on() -> None:
    assert grown(now=7.0, before=50.0) == 7.0


@pytest.mark.parametrize(
    ("first_time", "values", "increase"),
    [
        (100.0, [5.0, 6.0, 9.0], 4.0),
        (130.0, [5.0, 6.0, 9.0], 9.0),  # of a container that came later: it began at 0
        (100.0, [5.0, 6.0, 2.0, 3.0], 4.0),  # it began anew in between
        (100.0, [5.0], 0.0),
    ],
)
def test_a_counter_of_each_container_adds_up(first_time: float, values: list[float], increase: float) -> None:
    times = [first_time + second for second in range(len(values))]
    line = {"labels": {"instance": "a"}, "times": times, "values": values}
    answers = {"history c{m='x'}": [[line]]}
    it = Attempt(exercise.find("1"), Replay(Recording("01", "", STARTED_AT, 200.0, {}, {}, answers)))
    assert it.increase("c", "m='x'") == increase


def test_a_question_that_was_not_recorded_is_no_wrong_solution() -> None:
    nothing = Replay(Recording("01", "", STARTED_AT, 200.0, {}, {}))
    verdict = judge.judge(Attempt(exercise.find("1"), nothing, {"victim": "fifo"}))
    assert verdict.outcome is Outcome.CANNOT_TELL
    assert "has no answer" in verdict.saw
    assert (verdict.outcome.exit_code, Outcome.SOLVED.exit_code, Outcome.NOT_YET.exit_code) == (3, 0, 1)


class Lab(Replay):
    """A lab with answers that tell how often they were asked for."""

    def __init__(self) -> None:
        super().__init__(Recording("01", "", STARTED_AT, 200.0, {}, {}))
        self._asked = 0

    def query(self, expression: str) -> list[Sample]:
        """One sample: how often."""
        self._asked += 1
        return [Sample({"of": expression}, self._asked)]

    def history(self, expression: str) -> list[Line]:
        """One line."""
        return [Line({"of": expression}, [1.0, 2.0], [float("nan"), 3.0])]


def test_a_replay_answers_as_the_lab_did_and_goes_on_with_its_last_answer(tmp_path: Path) -> None:
    lab = Recorder(Lab())
    asked = [lab.query("a"), lab.query("a"), lab.query("b")]
    lab.history("c")
    kept = Recording("01_x", "solved", lab.started_at, lab.now, {"victim": "fifo"}, {"n": 1.5}, lab.answers)
    kept.write(tmp_path / "kept.json")
    again = Replay(recording.read(tmp_path / "kept.json"))
    assert (again.started_at, again.now) == (STARTED_AT, 200.0)
    assert [again.query("a"), again.query("a"), again.query("b")] == asked
    assert again.query("a") == asked[1]
    assert again.history("c")[0].values[1] == 3.0
    with pytest.raises(LabError, match="no answer to 'query d'"):
        again.query("d")


@pytest.mark.parametrize("text", ["", "[]", '{"schema": 2}', '{"schema": 1, "what": 3}'])
def test_a_file_that_is_no_recording_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    with pytest.raises(LabError) as failed:
        recording.read(tmp_path / "x.json")
    assert "\n" not in str(failed.value)
