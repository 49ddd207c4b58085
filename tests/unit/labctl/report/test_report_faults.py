"""The faults of a report: a series with gaps is several faults, and each outcome of the matrix is a row."""

from __future__ import annotations

from labctl.lab.prometheus import Line
from labctl.report.faults import Faults, Interval, Outcome, intervals

LABELS = {"fault": "cut", "mechanism": "tcp"}


def test_a_gap_parts_two_faults() -> None:
    line = Line(LABELS, [10, 11, 12, 30, 31], [1.0] * 5)
    assert intervals(line, 1.0) == [Interval("cut", "tcp", 10, 13), Interval("cut", "tcp", 30, 32)]


def test_a_scrape_that_is_missing_parts_none() -> None:
    assert intervals(Line(LABELS, [10, 12, 13], [1.0] * 3), 1.0) == [Interval("cut", "tcp", 10, 14)]
    assert intervals(Line(LABELS, [], []), 1.0) == []


def test_a_fault_of_the_lab_has_no_mechanism() -> None:
    (found,) = intervals(Line({"fault": "kill-holder"}, [10], [1.0]), 1.0)
    assert (found.fault, found.mechanism) == ("kill-holder", "")
    assert found.in_words().endswith(", 1 s")


def test_a_report_without_faults_has_none() -> None:
    assert Faults((), ()).outcomes == ()
    assert Outcome("cut", "tcp", None, 3.0, differs=True).back_s is None
