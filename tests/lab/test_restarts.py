"""Whoever dies, and however: the pair comes back, and no sequence number is forgotten."""

from __future__ import annotations

import pytest
from docker.errors import APIError

from ipclab import registry
from ipclab.channel import Persistence
from lab.stack import Stack, wait_until

ROUNDS = 20
SIDES = {"consumer": ("consumer",), "producer": ("producer",), "both": ("consumer", "producer")}


def kernel_objects(stack: Stack) -> list[int]:
    """How many segments, semaphore sets and queues the shared namespace holds."""
    holder = stack.containers()["holder"]
    counts = []
    for kind in ("shm", "sem", "msg"):
        code, output = holder.exec_run(["cat", f"/proc/sysvipc/{kind}"])
        assert code == 0
        counts.append(len(output.splitlines()) - 1)
    return counts


def service(mechanism: str, side: str) -> str:
    return f"{mechanism.replace('_', '-')}-{side}"


@pytest.mark.parametrize("how", ["restart", "kill"])
@pytest.mark.parametrize("sides", SIDES)
def test_a_restart_loses_only_what_the_mechanism_loses(stack: Stack, mechanism: str, sides: str, how: str) -> None:
    before = stack.settle(mechanism)
    for side in SIDES[sides]:
        container = stack.containers()[service(mechanism, side)]
        if how == "kill":
            container.kill()
        else:
            container.stop(timeout=3)
    for side in SIDES[sides]:
        stack.containers()[service(mechanism, side)].start()
    stack.wait_for_traffic(mechanism)
    after = stack.settle(mechanism)
    assert after["sent"] == after["received"] + after["lost"]
    assert after["received"] > before["received"]
    assert after["corrupt"] == before["corrupt"]
    assert after["duplicate"] == before["duplicate"]
    lost = after["lost"] - before["lost"]
    if registry.load(mechanism).traits.persistence is not Persistence.PROCESS:
        # Its content outlives both sides: at the most the message in the hand of whoever was killed.
        assert lost <= (len(SIDES[sides]) if how == "kill" else 0)


def test_the_child_of_init_is_brought_back_by_the_restart_policy(stack: Stack, mechanism: str) -> None:
    container = stack.containers()[service(mechanism, "consumer")]
    started = container.attrs["State"]["StartedAt"]
    container.exec_run(["python", "-c", "import os; os.kill(-1, 9)"])

    def restarted() -> bool:
        container.reload()
        return bool(container.status == "running" and container.attrs["State"]["StartedAt"] != started)

    wait_until("Docker restarts the container", 20, restarted)
    stack.wait_for_traffic(mechanism)


@pytest.mark.timeout(600)
@pytest.mark.parametrize("side", ["consumer", "producer"])
def test_many_kills_leave_as_many_kernel_objects_as_before(stack: Stack, side: str) -> None:
    mechanisms = stack.mechanisms()
    for mechanism in mechanisms:
        stack.wait_for_traffic(mechanism)
    before = kernel_objects(stack)
    victims = [stack.containers()[service(mechanism, side)] for mechanism in mechanisms]
    for _ in range(ROUNDS):
        for victim in victims:  # one at a time, see docs/decisions/0011-one-container-at-a-time.md
            victim.kill()
            victim.start()
        for victim in victims:
            wait_until("it has its channel", 20, lambda v=victim: v.exec_run(["test", "-e", "/run/lab/alive"])[0] == 0)  # type: ignore[misc]
    for mechanism in mechanisms:
        stack.wait_for_traffic(mechanism)
        books = stack.settle(mechanism)
        assert books["corrupt"] == 0
        assert books["sent"] == books["received"] + books["lost"]
    assert kernel_objects(stack) == before


def test_a_crashed_holder_does_not_split_the_pairs(stack: Stack) -> None:
    """A holder that comes back has a new namespace; its members notice, and follow."""
    holder = stack.containers()["holder"]
    old = _ipc_inode(stack, "holder")
    holder.kill()
    holder.start()
    assert _ipc_inode(stack, "holder") != old
    members = [
        name for name, c in stack.containers().items() if c.attrs["HostConfig"]["IpcMode"].startswith("container")
    ]
    assert members
    for member in members:
        wait_until(
            f"{member} is in the holder's namespace",
            30,
            lambda m=member: _ipc_inode(stack, m) == _ipc_inode(stack, "holder"),  # type: ignore[misc]
        )
    for mechanism in stack.mechanisms():
        stack.wait_for_traffic(mechanism, within_s=30)
        books = stack.settle(mechanism)
        assert books["sent"] == books["received"] + books["lost"]


def test_compose_restarts_the_members_with_their_holder(stack: Stack) -> None:
    members = [
        name for name, c in stack.containers().items() if c.attrs["HostConfig"]["IpcMode"].startswith("container")
    ]
    started = {name: stack.containers()[name].attrs["State"]["StartedAt"] for name in members}
    restart = stack.compose("restart", "holder")
    assert restart.returncode == 0, restart.stderr
    for name in members:
        assert stack.containers()[name].attrs["State"]["StartedAt"] != started[name]
    for mechanism in stack.mechanisms():
        stack.wait_for_traffic(mechanism, within_s=30)


def _ipc_inode(stack: Stack, name: str) -> str | None:
    try:
        code, output = stack.containers()[name].exec_run(["stat", "-Lc", "%i", "/proc/self/ns/ipc"])
    except APIError:  # it is restarting
        return None
    return output.decode().strip() if code == 0 else None
