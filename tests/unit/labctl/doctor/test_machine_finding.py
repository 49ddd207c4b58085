"""What doctor says of the processor's architecture: what was tried on it, and what was not."""

from __future__ import annotations

import pytest

from labctl.doctor.doctor import machine_finding
from labctl.doctor.finding import Verdict


def test_the_architecture_that_every_test_runs_on_is_ok() -> None:
    finding = machine_finding("Debian", "amd64")
    assert (finding.verdict, finding.found, finding.change) == (Verdict.OK, "Debian, amd64", "")


@pytest.mark.parametrize(
    "said", ["qemu-user", "the image builds", "Never tried on arm64: every other test, a running lab"]
)
def test_arm64_was_tried_by_emulation_only(said: str) -> None:
    finding = machine_finding("macOS", "arm64")
    assert finding.verdict is Verdict.WARN
    assert said in finding.change


def test_an_architecture_that_nobody_tried_is_no_tested_one() -> None:
    finding = machine_finding("Debian", "riscv64")
    assert finding.verdict is Verdict.WARN
    assert "nothing was ever tried" in finding.change
