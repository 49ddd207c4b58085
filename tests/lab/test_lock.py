"""The lock of a running pair's shared words is switched without a restart, and what that costs is counted."""

from __future__ import annotations

from lab.harness.stack import Stack, wait_until

PAIR = "sysv_shm"
PAIRS = (PAIR, "fifo")  # of the lab: see conftest.py
CONSUMER = "sysv-shm-consumer"


def _count(stack: Stack, series: str, sync: str) -> int:
    page = stack.page(CONSUMER)
    return int(sum(value for name, labels, value in page if name == series and labels["sync"] == sync))


def _lost(stack: Stack, sync: str) -> list[int]:
    """Lost updates and torn reads."""
    return [_count(stack, f"ipc_shared_{what}_total", sync) for what in ("updates_lost", "records_torn")]


def test_without_the_lock_updates_are_lost_and_with_it_none(stack: Stack) -> None:
    stack.wait_for_traffic(PAIR)
    accounts = stack.accounts(PAIR)
    wrong = (accounts["corrupt"], accounts["duplicate"])  # by what other tests have done to it
    lost = _lost(stack, "on")  # likewise: garbage over the words is a torn record
    started = {name: c.attrs["State"]["StartedAt"] for name, c in stack.endpoints().items()}
    off = stack.lab("lock", PAIR, "off")
    try:
        assert off.returncode == 0, off.stderr
        assert "off, now" in off.stdout
        wait_until("updates are lost and records are torn", 30, lambda: all(_lost(stack, "off")))
    finally:
        back = stack.lab("lock", PAIR, "--reset")
    assert back.returncode == 0, back.stderr
    assert "on, now" in back.stdout
    before = _count(stack, "ipc_shared_updates_total", "on")
    wait_until("updates with the lock", 15, lambda: _count(stack, "ipc_shared_updates_total", "on") > before)
    assert _lost(stack, "on") == lost
    assert {name: c.attrs["State"]["StartedAt"] for name, c in stack.endpoints().items()} == started
    accounts = stack.settle(PAIR)
    assert (accounts["corrupt"], accounts["duplicate"]) == wrong


def test_a_pair_without_a_lock_is_refused_and_told_which_have_one(stack: Stack) -> None:
    refused = stack.lab("lock", "fifo", "off")
    assert refused.returncode == 2
    assert "sysv_shm" in refused.stderr
