"""A soak of the running lab: nothing is unaccounted for, unexplained, or left over; Ctrl-C leaves nothing either.

`SOAK_MINUTES` makes it longer. Two minutes carried out 10 to 12 faults on two busy CPUs (2026-11-28), so that
three have the least number of them on a slower machine too.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from lab.harness.stack import ROOT, Stack, wait_until
from labctl.faults.soak.run import choices

MINUTES = int(os.environ.get("SOAK_MINUTES", "3"))
LEAST_FAULTS = 4
SEED = 15


@pytest.mark.timeout(MINUTES * 60 + 600)
def test_every_message_of_a_soak_is_accounted_for_and_nothing_is_left(stack: Stack, tmp_path: Path) -> None:
    before = {name: container.id for name, container in stack.containers().items()}
    arguments = ("--minutes", str(MINUTES), "--seed", str(SEED), "--output", str(tmp_path))
    done = stack.lab("soak", *arguments, within_s=MINUTES * 60 + 500)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    document = json.loads((tmp_path / "soak.json").read_text())
    assert document["findings"] == []
    assert document["repeat"] == f"./lab soak --minutes {MINUTES} --seed {SEED}"
    carried_out = [fault for fault in document["faults"] if not fault["refused"]]
    assert len(carried_out) >= LEAST_FAULTS
    assert {pair["mechanism"] for pair in document["pairs"]} == set(stack.mechanisms())
    for pair in document["pairs"]:
        assert pair["sent"] == pair["received"] + pair["lost"], pair
        assert pair["received"] > 0, pair
    for loss in document["losses"]:
        assert loss["explained_by"], loss
    assert (tmp_path / "soak.txt").read_text() in done.stdout.replace(f"Report: {tmp_path / 'soak.json'}\n", "")
    assert {name: container.id for name, container in stack.containers().items()} == before
    # The plan is the seed's: these are its first faults.
    assert {fault["fault"] for fault in document["faults"]} <= {choice.fault for choice in choices(stack.mechanisms())}


def test_ctrl_c_puts_every_fault_back(stack: Stack, tmp_path: Path) -> None:
    before = set(stack.containers())
    loads = {mechanism: stack.load(mechanism) for mechanism in stack.mechanisms()}
    soak = subprocess.Popen(
        [str(ROOT / "lab"), "soak", "--minutes", "5", "--seed", str(SEED), "--output", str(tmp_path)],
        env=stack.environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        wait_until("a fault is on", 120, lambda: set(stack.containers()) - before)
        os.killpg(soak.pid, signal.SIGINT)
        _, said = soak.communicate(timeout=120)
    finally:
        soak.kill()
        soak.wait()
    assert soak.returncode == 130, said
    assert "Traceback" not in said
    assert set(stack.containers()) == before
    assert not list(tmp_path.iterdir())
    for mechanism in stack.mechanisms():
        stack.wait_for_traffic(mechanism, within_s=60)
        assert stack.load(mechanism) == loads[mechanism]
