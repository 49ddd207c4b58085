"""`./lab bench` beside a running lab: the load stands still and goes on, and Prometheus keeps what was measured."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from docker.models.containers import Container

from lab.harness.stack import ROOT, Stack, wait_until

# Of the lab that the bench finds running, see conftest.py; with sysv_mq comes the exporter that publishes the figures.
PAIRS = ("fifo", "sysv_mq")
_SHORT = ("fifo", "posix_shm", "--sizes", "64,16K", "--shape", "one-way", "--repeat", "2", "--json")
_LONG = ("fifo", "posix_shm", "--repeat", "100")
_PUBLISHED = 'ipc_bench_message_seconds{mechanism="fifo",implementation="python",size="16384",touched="yes"}'


@contextmanager
def begun(stack: Stack, folder: Path, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """A bench of which the load is paused by now; ended at the end of the block."""
    bench = subprocess.Popen(
        [str(ROOT / "lab"), "bench", *arguments, "--output", str(folder)],
        env=stack.environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )

    def measuring() -> dict[str, Container] | None:
        assert bench.poll() is None, bench.communicate()
        return {n: c for n, c in stack.containers().items() if n.startswith("bench-") and c.status == "running"} or None

    try:
        wait_until("the bench's containers run", 120, measuring)
        yield bench
    finally:
        if bench.poll() is None:
            bench.send_signal(signal.SIGINT)
            bench.communicate(timeout=120)


def states(stack: Stack) -> dict[str, str]:
    return {name: container.status for name, container in stack.containers().items()}


def test_the_load_stands_still_and_goes_on_and_the_figures_are_published(stack: Stack, tmp_path: Path) -> None:
    stack.wait_for_traffic("fifo")
    before, things, lost = states(stack), sorted(stack.leftovers()), stack.accounts("fifo")["lost"]
    with begun(stack, tmp_path, *_SHORT) as bench:
        now = states(stack)
        assert {now[name] for name in before} == {"paused"}
        out, err = bench.communicate(timeout=240)
    assert bench.returncode == 0, err
    assert states(stack) == before
    assert sorted(stack.leftovers()) == things
    cells = {
        (cell["implementation"], cell["mechanism"], cell["size_bytes"], cell["touched"], cell["copies"]): cell
        for cell in json.loads(out)["cells"]
    }
    for mechanism in ("fifo", "posix_shm"):
        for size in (64, 16384):
            for touched in (False, True):
                cell = cells["python", mechanism, size, touched, True]
                assert (cell["why_not"], cell["failures"], cell["actual_size_bytes"]) == ("", 0, size)
                assert len(cell["runs"]) == 2
    assert {file.suffix for file in tmp_path.iterdir()} == {".json", ".csv", ".md", ".png", ".svg"}
    stack.wait_for_traffic("fifo")
    assert stack.settle("fifo")["lost"] == lost
    wait_until("Prometheus has the figures", 40, lambda: stack.query(_PUBLISHED))
    stack.container("kernel").restart()
    again = f"{_PUBLISHED} and on () (time() - timestamp(ipc_bench_timestamp_seconds) < 5)"
    wait_until("Prometheus has the figures after a restart of their exporter", 60, lambda: stack.query(again))


def test_ctrl_c_lets_the_load_go_on_and_leaves_nothing(stack: Stack, tmp_path: Path) -> None:
    stack.wait_for_traffic("fifo")
    before, things = states(stack), sorted(stack.leftovers())
    with begun(stack, tmp_path, *_LONG) as bench:
        bench.send_signal(signal.SIGINT)
        _, err = bench.communicate(timeout=120)
    assert bench.returncode == 130, err
    assert "Traceback" not in err
    assert states(stack) == before
    assert sorted(stack.leftovers()) == things
    assert list(tmp_path.iterdir()) == []
    stack.wait_for_traffic("fifo")
