"""The facts of a container: its memory by both kinds of cgroup, and the start of its process."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

from ipclab.runtime import container_facts
from ipclab.runtime.container_facts import ContainerFacts


def test_version_2_counts_as_docker_stats_does(tmp_path: Path) -> None:
    (tmp_path / "memory.current").write_text("15000000\n")
    (tmp_path / "memory.stat").write_text("anon 9000000\nfile 6000000\ninactive_file 5000000\n")
    (tmp_path / "memory.max").write_text("max\n")
    assert container_facts.memory(tmp_path) == (10_000_000, None)
    (tmp_path / "memory.max").write_text("100663296\n")
    assert container_facts.memory(tmp_path) == (10_000_000, 100_663_296)


def test_version_1_has_other_names_and_no_limit_is_a_large_number(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory/memory.usage_in_bytes").write_text("15000000\n")
    (tmp_path / "memory/memory.stat").write_text("inactive_file 1\ntotal_inactive_file 5000000\n")
    (tmp_path / "memory/memory.limit_in_bytes").write_text("9223372036854771712\n")
    assert container_facts.memory(tmp_path) == (10_000_000, None)


def test_without_a_cgroup_nothing_is_said_of_memory(tmp_path: Path) -> None:
    assert container_facts.memory(tmp_path) is None
    names = [sample.definition.name for sample in ContainerFacts({}, tmp_path).samples()]
    assert names == ["ipc_process_start_time_seconds", "ipc_open_descriptors"]


def test_a_descriptor_more_is_counted(tmp_path: Path) -> None:
    def count() -> float:
        (value,) = (s.value for s in ContainerFacts().samples() if s.definition.name == "ipc_open_descriptors")
        assert isinstance(value, int)
        return value

    before = count()
    with (tmp_path / "a file").open("w"):
        assert count() == before + 1
    assert count() == before


def test_a_process_began_between_its_start_and_its_first_line() -> None:
    script = "from ipclab.runtime import container_facts; print(container_facts.started_at())"
    before = time.time()
    said = float(subprocess.run([sys.executable, "-c", script], capture_output=True, check=True, text=True).stdout)
    assert before - 1.1 <= said <= time.time()  # btime is a whole number of seconds


def test_execve_keeps_the_start() -> None:
    """`./lab reset` runs the role anew by it, which is no restart."""
    script = (
        "import os, sys; from ipclab.runtime import container_facts as f; print(f.started_at(), flush=True);"
        "again = sys.argv[1:]; again and os.execv(sys.executable, [sys.executable, '-c', again[0]])"
    )
    done = subprocess.run([sys.executable, "-c", script, script], capture_output=True, check=True, text=True)
    first, second = done.stdout.split()
    assert first == second
