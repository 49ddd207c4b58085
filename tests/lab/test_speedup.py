"""`./lab speedup` in real containers: what it prints, what it shares, and that nothing of it stays."""

from __future__ import annotations

import json
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from docker.models.containers import Container

from lab.harness.stack import ROOT, Stack, wait_until

PAIRS = ("sysv_mq",)  # of the lab that a comparison finds running: see conftest.py
_PRIMES_BELOW_50000 = 5133  # https://oeis.org/A000720
_SMALL = ("--job", "50000", "--chunks", "16", "--rounds", "2")
_LONG = ("--job", "2000000", "--rounds", "100")


@pytest.fixture(scope="module")
def own(stack: Stack) -> Stack:
    """A project of its own, with nothing in it; the images are those of the lab of all tests."""
    assert stack.mechanisms()
    project = Stack("ipclabspeedup")
    project.lab("down")  # what an interrupted run may have left
    return project


def test_beside_a_running_lab_it_measures_and_leaves_everything_as_it_was(stack: Stack) -> None:
    def identities() -> dict[str, tuple[str | None, str]]:
        return {name: (c.id, c.attrs["State"]["StartedAt"]) for name, c in stack.containers().items()}

    before, things = identities(), sorted(stack.leftovers())
    done = stack.lab("speedup", "--mechanism", "sysv_mq", "--workers", "2,1", *_SMALL, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["mechanism"], document["wait_policy"], document["tasks_by"]) == ("sysv_mq", "block", "mailbox")
    assert (document["limit"], document["primes"]) == (50_000, _PRIMES_BELOW_50000)
    assert (document["chunks"], document["rounds"]) == (16, 2)
    assert document["cpus"] >= 1
    assert [comparison["workers"] for comparison in document["comparisons"]] == [1, 2]
    for comparison in document["comparisons"]:
        assert len(comparison["rounds"]) == 2
        for found in comparison["rounds"]:
            assert found["primes"] == _PRIMES_BELOW_50000
            assert sum(found["tasks_done"]) == 16
            assert len(found["tasks_done"]) == comparison["workers"]
        assert comparison["efficiency"] == pytest.approx(comparison["speedup"] / comparison["workers"])
        assert (comparison["parallel_fraction"] is None) == (comparison["workers"] == 1)
        for figure in ("alone_wall_seconds", "wall_seconds", "computing_cpu_seconds", "moving_cpu_seconds"):
            assert comparison[figure] > 0
    assert identities() == before
    assert sorted(stack.leftovers()) == things


@pytest.mark.parametrize("mechanism", ["mmap_file", "udp"])
def test_over_a_volume_and_over_a_network_and_without_a_lab(own: Stack, mechanism: str) -> None:
    done = own.lab("speedup", "--mechanism", mechanism, "--workers", "2", *_SMALL)
    assert done.returncode == 0, done.stderr
    heading, _, row, *lines = done.stdout.splitlines()
    for column in ("workers", "wall", "speedup", "efficiency", "parallel", "moving", "waiting"):
        assert column in heading
    assert row.split()[0] == "2"
    text = "\n".join(lines)
    for condition in (mechanism, "CPUs", "16 chunks", "medians of 2 rounds", "Karp-Flatt", str(_PRIMES_BELOW_50000)):
        assert condition in text
    assert own.leftovers() == []


@contextmanager
def running(own: Stack, mechanism: str) -> Iterator[tuple[subprocess.Popen[str], list[Container]]]:
    """A comparison that would take minutes, once all its containers run: the coordinator is the first."""
    command = [str(ROOT / "lab"), "speedup", "--mechanism", mechanism, "--workers", "2", *_LONG]
    with subprocess.Popen(command, env=own.environment, stderr=subprocess.PIPE, text=True) as process:
        try:

            def containers() -> list[Container] | None:
                assert process.poll() is None, process.communicate()[1]
                found = own.client.containers.list(filters={"label": f"com.docker.compose.project={own.project}"})
                return sorted(found, key=lambda container: str(container.name)) if len(found) == 3 else None

            yield process, wait_until("coordinator and workers run", 60, containers)
        finally:
            process.kill()


def test_a_worker_that_is_killed_ends_the_run_with_its_name(own: Stack) -> None:
    with running(own, "sysv_mq") as (process, (_, _, second)):
        second.kill()
        _, said = process.communicate(timeout=30)
    assert process.returncode == 1
    assert said.splitlines()[-1].startswith("error: speedup over sysv_mq with 2 workers failed: worker 2 ended")
    assert "Traceback" not in said
    assert own.leftovers() == []


@pytest.mark.parametrize(
    ("sent", "code", "words"), [(signal.SIGINT, 130, "interrupted"), (signal.SIGTERM, 143, "ended by SIGTERM")]
)
def test_ended_from_outside_it_leaves_nothing(own: Stack, sent: signal.Signals, code: int, words: str) -> None:
    with running(own, "tcp") as (process, _):
        process.send_signal(sent)
        _, said = process.communicate(timeout=30)
    assert process.returncode == code
    assert said.splitlines()[-1].startswith(f"error: {words}")
    assert "Traceback" not in said
    assert own.leftovers() == []


def test_its_containers_are_confined_and_down_removes_what_a_killed_run_left(own: Stack) -> None:
    with running(own, "sysv_mq") as (process, containers):
        process.kill()
        process.wait(30)
    coordinator, *workers = containers
    for container in containers:
        host = container.attrs["HostConfig"]
        assert host["ReadonlyRootfs"]
        assert host["Init"]
        assert host["CapDrop"] == ["ALL"]
        assert host["SecurityOpt"] == ["no-new-privileges:true"]
        assert host["NetworkMode"] == "none"
        assert (host["Memory"], host["PidsLimit"]) == (96 << 20, 32)
        assert sorted(mount["Destination"] for mount in container.attrs["Mounts"]) == ["/channel", "/state"]
        assert container.attrs["Config"]["User"] == "10001:10001"
    assert coordinator.attrs["HostConfig"]["IpcMode"] == "shareable"
    assert {worker.attrs["HostConfig"]["IpcMode"] for worker in workers} == {f"container:{coordinator.id}"}
    volumes = [mount["Name"] for container in containers for mount in container.attrs["Mounts"]]
    assert len(set(volumes)) == len(volumes), "two of them share a volume"
    down = own.lab("down")
    assert down.returncode == 0, down.stderr
    assert own.leftovers() == []
