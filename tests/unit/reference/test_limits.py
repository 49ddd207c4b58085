"""The limits: each is described, measured in as many operations as were asked for, and of the kind its name says."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from ipclab.bench.request import Side
from support.reference import request, started

_ROWS = {"memory_copy": "one-way", "system_call": "one-way", "cache_line_hop": "round-trip", "futex_wake": "round-trip"}


def _measure(programs: Path, folder: Path, name: str, **fields: Any) -> dict[str, Any]:
    half = request(name, folder, **fields)
    with started([str(programs / "limits")], half, Side.BOTH) as endpoint:
        endpoint.expect("ready")
        endpoint.expect("warm")
        endpoint.go()
        return endpoint.expect("result")


def test_every_limit_is_described(programs: Path) -> None:
    said = subprocess.run([programs / "limits", "--describe"], capture_output=True, check=True, timeout=10).stdout
    rows = json.loads(said)["rows"]
    assert {row["mechanism"]: row["shapes"][0] for row in rows} == _ROWS
    assert all(row["limit"] and row["together"] and not row["requires"] for row in rows)


@pytest.mark.parametrize("name", _ROWS)
def test_a_limit_is_measured(programs: Path, tmp_path: Path, name: str) -> None:
    cpus = sorted(os.sched_getaffinity(0))
    if name == "cache_line_hop" and len(cpus) < 2:
        pytest.skip("one CPU: no line moves")
    result = _measure(programs, tmp_path, name, count=400, sample_every=10, cpu=cpus[0], peer_cpu=cpus[-1])
    assert (result["role"], result["count"], len(result["samples_ns"])) == ("both", 400, 40)
    assert result["end_ns"] > result["begin_ns"]
    assert result["cpu_ns"] > 0


def test_a_sleeper_is_woken_by_a_context_switch(programs: Path, tmp_path: Path) -> None:
    """On one CPU each round trip is two switches; a spinning one would show none."""
    result = _measure(programs, tmp_path, "futex_wake", count=1_000)
    assert result["voluntary"] + result["involuntary"] > 1_000


def test_there_is_no_other_limit(programs: Path, tmp_path: Path) -> None:
    with started([str(programs / "limits")], request("speed_of_light", tmp_path), Side.BOTH) as endpoint:
        endpoint.expect("ready")
        assert "speed_of_light" in endpoint.expect("error")["message"]
