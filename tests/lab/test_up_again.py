"""Up again, up with something stuck, and a second lab beside the first."""

from __future__ import annotations

import json

import pytest

from lab.harness.stack import PROJECT, Stack


def _identities(stack: Stack) -> dict[str, tuple[str | None, str]]:
    return {name: (c.id, c.attrs["State"]["StartedAt"]) for name, c in stack.containers().items()}


def test_up_again_changes_nothing(stack: Stack) -> None:
    before = _identities(stack)
    again = stack.lab("up")
    assert again.returncode == 0, again.stderr
    assert _identities(stack) == before
    for mechanism in stack.mechanisms():
        assert mechanism in again.stdout
    assert f"http://127.0.0.1:{stack.prometheus_port}" in again.stdout


def test_every_container_is_healthy(stack: Stack) -> None:
    stack.wait_until_healthy()


def test_a_pair_that_does_not_move_is_named(stack: Stack) -> None:
    consumer = stack.endpoint("fifo", "consumer")
    consumer.pause()
    try:
        stuck = stack.lab("up", "--timeout", "10")
    finally:
        consumer.unpause()
    assert stuck.returncode == 1
    assert "fifo" in stuck.stderr
    assert "paused" in stuck.stderr
    assert "hint" in stuck.stderr
    assert "Traceback" not in stuck.stderr
    stack.wait_for_traffic("fifo")


@pytest.mark.usefixtures("stack")
@pytest.mark.timeout(300)
def test_a_second_lab_with_some_pairs_runs_beside_the_first() -> None:
    second = Stack(f"{PROJECT}-2")
    try:
        second.environment["LAB_WAIT"] = "spin"  # of what leaves a choice
        up = second.lab("up", "fifo", "mmap_file", "tcp")
        assert up.returncode == 0, up.stderr
        assert second.mechanisms() == ["fifo", "mmap_file", "tcp"]
        assert "sysv" not in up.stdout
        pairs = json.loads(second.lab("status", "--json").stdout)["pairs"]
        assert [pair["wait"] for pair in pairs] == ["block", "spin", "block"]
        before = second.containers()["fifo-producer"].id
        # A port that somebody else has: refused, and what runs goes on.
        taken = Stack(f"{PROJECT}-3")
        taken.environment["LAB_PROMETHEUS_PORT"] = str(second.prometheus_port)
        refused = taken.lab("up", "fifo")
        assert refused.returncode == 2
        assert str(second.prometheus_port) in refused.stderr
        assert taken.leftovers() == []
        assert second.containers()["fifo-producer"].id == before
    finally:
        down = second.lab("down")
    assert down.returncode == 0, down.stderr
    assert second.leftovers() == []
