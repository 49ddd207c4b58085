"""Up again, and up with something stuck."""

from __future__ import annotations

from lab.harness.stack import Stack
from labctl.lab.containers import freeze


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
    freeze(consumer)
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
