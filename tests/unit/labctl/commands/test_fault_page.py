"""docs/FAULTS.md is what the faults say of themselves; the table of a run has a row for each measured cell."""

from __future__ import annotations

from ipclab import mechanisms
from labctl.commands import fault_page
from labctl.config import compose_file
from labctl.config.paths import ROOT
from labctl.faults import registry
from labctl.faults.matrix import Cell
from labctl.faults.measurement import Measured


def cell(name: str, mechanism: str, **measured: object) -> Cell:
    fault = registry.fault(name)
    outcome: dict[str, object] = {
        "halted": True,
        "back_s": 1.5,
        "sent": 100,
        "lost": {"consumer_restart": 3},
        "duplicate": 0,
        "errnos": ("EAGAIN",),
        "object_stays": True,
        **measured,
    }
    predicted = fault.predict(mechanisms.load(mechanism).traits, 0)
    return Cell(fault, mechanism, "", predicted, Measured(**outcome))  # type: ignore[arg-type]


def test_the_page_in_docs_is_that_of_the_code() -> None:
    """`./lab fault matrix --markdown` makes it."""
    page = (ROOT / "docs" / "FAULTS.md").read_text(encoding="utf-8")
    assert page.startswith(fault_page.head())


def test_every_pair_has_each_fault_or_a_reason() -> None:
    page = fault_page.head()
    for name, fault in registry.all_faults().items():
        assert f"| `{name}` | " in page
        for mechanism in set(compose_file.declared()) - set(registry.targets(fault)):
            reasons = [line for line in page.splitlines() if line.startswith(f"- `{name}`, ")]
            assert any(mechanism in line or "every pair" in line for line in reasons), (name, mechanism)


def test_a_cell_that_differs_says_no() -> None:
    good, bad = cell("kill-consumer", "fifo"), cell("kill-consumer", "sysv_mq")
    assert good.differs == []
    assert bad.differs == ["3 lost, at most 1 predicted"]
    page = fault_page.measured([good, bad, Cell(registry.fault("volume-full"), "plain_file", "no size")], "one run")
    assert "| `kill-consumer` | fifo | yes (yes) | 1.5 (≤ 20) | 3 consumer_restart (possible) | EAGAIN |" in page
    rows = [line for line in page.splitlines() if line.startswith("| `")]
    assert [row.endswith("| yes |") for row in rows] == [True, False]
    assert "- `volume-full` of plain_file: no size." in page
    assert [line for line in page.splitlines() if line.startswith("- `engine-restart`: ")], "it is left out unsaid"
    assert "- `clock-behind`: " not in page, "that it is told and not done stands above"


def test_a_pair_that_is_not_back_is_late() -> None:
    late = cell("kill-consumer", "fifo", back_s=None)
    assert late.differs == ["not back within 20 s"]
    assert fault_page.fields(late)[1] == "late (≤ 20)"
