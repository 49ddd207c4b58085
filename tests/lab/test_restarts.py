"""Whoever dies, and however: the pairs come back, and no sequence number is forgotten.

All pairs are treated at once and then judged one by one. `--kill-rounds` says how often each side is killed in the
middle of traffic before the accounts are read.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Self

import pytest
from docker.models.containers import Container

from ipclab import mechanisms as registry
from ipclab.contract.channel import KEYS_PER_CHANNEL, Persistence
from lab.harness.stack import Stack, printed, wait_until
from labctl.config.configuration import Configuration
from labctl.terminal.errors import LabError

BACK_WITHIN_S = 10
SIDES = {"consumer": ("consumer",), "producer": ("producer",), "both": ("consumer", "producer")}

FALLS = [("both", "restart"), *((sides, "kill") for sides in SIDES)]
# One of each kind of sharing; whoever shares nothing with a victim cannot feel more than they do.
VICTIMS = ("sysv_mq", "fifo", "tcp")


@dataclass(frozen=True)
class Settled:
    """A moment with nothing on the way."""

    accounts: dict[str, dict[str, int]]
    kernel_objects: list[int]

    @classmethod
    def of(cls, stack: Stack) -> Self:
        """Slow every pair down until that moment."""
        for mechanism in stack.mechanisms():
            stack.wait_for_traffic(mechanism, within_s=BACK_WITHIN_S)
        return cls(stack.settle_all(*stack.mechanisms()), kernel_objects(stack))


@dataclass(frozen=True)
class Fall:
    """What was done to every pair, and the accounts around it."""

    sides: tuple[str, ...]
    how: str
    rounds: int
    before: Settled
    after: Settled


def kernel_objects(stack: Stack) -> list[int]:
    """How many segments, semaphore sets, queues and POSIX objects the shared namespace holds, but for the probes'."""
    holder = stack.container("holder")
    first = Configuration.load(environment=stack.environment).number("LAB_RESPONDER_KEY")
    probed = {"0", *map(str, range(first, first + 2 * KEYS_PER_CHANNEL))}  # 0 is what was removed and is still attached
    counts = []
    for kind in ("shm", "sem", "msg"):
        table = printed(holder, ["cat", f"/proc/sysvipc/{kind}"]).splitlines()[1:]
        counts.append(sum(line.split()[0] not in probed for line in table))
    for folder in ("/dev/shm", "/dev/mqueue"):
        counts.append(sum("ipclab-echo-" not in name for name in printed(holder, ["ls", folder]).split()))
    return counts


def end(container: Container, how: str) -> None:
    """Stop it in good order, or kill -9."""
    if how == "kill":
        container.kill()
    else:
        container.stop(timeout=3)


@pytest.fixture(scope="module")
def latest(stack: Stack) -> list[Settled]:
    """The last settled moment; nothing happens to the pairs between one fall and the next."""
    return [Settled.of(stack)]


@pytest.fixture(scope="module", params=FALLS, ids="-".join)
def fall(request: pytest.FixtureRequest, stack: Stack, latest: list[Settled]) -> Fall:
    """Every pair, one after the other, loses its sides and gets them back; as often as was asked for."""
    name, how = request.param
    sides = SIDES[name]
    rounds: int = request.config.getoption("--kill-rounds") if how == "kill" else 1
    mechanisms = stack.mechanisms()
    for _ in range(rounds):
        for mechanism in mechanisms:  # one at a time, see docs/decisions/0011-serial-start-and-stop.md
            containers = [stack.endpoint(mechanism, side) for side in sides]
            for container in containers:
                end(container, how)
            for container in containers:
                container.start()
        for mechanism in mechanisms:
            stack.wait_for_traffic(mechanism, within_s=BACK_WITHIN_S)
    before = latest.pop()
    latest.append(Settled.of(stack))
    return Fall(sides, how, rounds, before, latest[-1])


@pytest.mark.timeout(1800)
def test_only_what_the_mechanism_loses_is_lost(fall: Fall, mechanism: str) -> None:
    before, after = fall.before.accounts[mechanism], fall.after.accounts[mechanism]
    assert after["sent"] == after["received"] + after["lost"]
    assert after["received"] > before["received"]
    assert (after["corrupt"], after["duplicate"]) == (before["corrupt"], before["duplicate"])
    if registry.load(mechanism).traits.persistence is not Persistence.PROCESS:
        # Its content outlives both sides: at the most the message in the hand of whoever was killed.
        in_hand = len(fall.sides) * fall.rounds if fall.how == "kill" else 0
        assert after["lost"] - before["lost"] <= in_hand


def test_as_many_kernel_objects_as_before(fall: Fall) -> None:
    assert fall.after.kernel_objects == fall.before.kernel_objects


def test_one_pairs_failure_touches_no_other(stack: Stack) -> None:
    """While one pair after the other is killed, nobody else loses a message or opens a channel again."""
    mechanisms = stack.mechanisms()
    for mechanism in mechanisms:
        stack.wait_for_traffic(mechanism)
    seen = {mechanism: _disturbances(stack, mechanism) for mechanism in mechanisms}
    for victim in VICTIMS:
        containers = [stack.endpoint(victim, side) for side in SIDES["both"]]
        for container in containers:
            container.kill()
        others = [mechanism for mechanism in mechanisms if mechanism != victim]
        for mechanism in others:
            stack.wait_for_traffic(mechanism)
            assert _disturbances(stack, mechanism) == seen[mechanism], f"{mechanism} felt that {victim} was killed"
        for container in containers:
            container.start()
        stack.wait_for_traffic(victim, within_s=BACK_WITHIN_S)
        seen[victim] = _disturbances(stack, victim)


def test_the_child_of_init_is_brought_back_by_the_restart_policy(stack: Stack) -> None:
    container = stack.endpoint("fifo", "consumer")
    started = container.attrs["State"]["StartedAt"]
    container.exec_run(["python", "-c", "import os; os.kill(-1, 9)"])

    def restarted() -> bool:
        container.reload()
        return bool(container.status == "running" and container.attrs["State"]["StartedAt"] != started)

    wait_until("Docker restarts the container", 20, restarted)
    stack.wait_for_traffic("fifo")
    check = container.attrs["Config"]["Healthcheck"]["Test"][1:]
    wait_until("the health check succeeds", 20, lambda: container.exec_run(check).exit_code == 0)
    modes = printed(container, ["stat", "--format=%a %u", "/heartbeat", "/heartbeat/alive"])
    user = container.attrs["Config"]["User"].partition(":")[0]
    assert modes.splitlines() == ["1777 0", f"644 {user}"]


def test_a_crashed_holder_does_not_split_the_pairs(stack: Stack) -> None:
    """A holder that comes back has a new namespace; its members notice, and follow."""
    holder = stack.container("holder")
    old = _ipc_inode(stack, "holder")
    holder.kill()
    holder.start()
    assert _ipc_inode(stack, "holder") != old
    for member in _members(stack):
        wait_until(
            f"{member} is in the holder's namespace",
            30,
            lambda m=member: _ipc_inode(stack, m) == _ipc_inode(stack, "holder"),  # type: ignore[misc]
        )
    for mechanism in stack.mechanisms():
        stack.wait_for_traffic(mechanism, within_s=30)
    for accounts in stack.settle_all(*stack.mechanisms()).values():
        assert accounts["sent"] == accounts["received"] + accounts["lost"]


@pytest.mark.timeout(600)
def test_compose_restarts_the_members_with_their_holder(stack: Stack) -> None:
    members = _members(stack)
    restart = stack.compose("restart", "holder")
    assert restart.returncode == 0, restart.stderr
    for name, before in members.items():
        assert stack.container(name).attrs["State"]["StartedAt"] != before.attrs["State"]["StartedAt"], name
    for mechanism in stack.mechanisms():
        stack.wait_for_traffic(mechanism, within_s=30)


def _members(stack: Stack) -> dict[str, Container]:
    members = {
        name: c for name, c in stack.containers().items() if c.attrs["HostConfig"]["IpcMode"].startswith("container")
    }
    assert members
    return members


def _disturbances(stack: Stack, mechanism: str) -> dict[str, Any]:
    """What would show that a pair was disturbed."""
    found: dict[str, Any] = {key: stack.accounts(mechanism)[key] for key in ("lost", "corrupt")}
    for side in SIDES["both"]:
        service = f"{mechanism.replace('_', '-')}-{side}"
        started = stack.container(service).attrs["State"]["StartedAt"]
        found[side] = (started, stack.total(service, "ipc_channel_opens_total"))
    return found


def _ipc_inode(stack: Stack, name: str) -> str | None:
    container = stack.container(name)
    if container.status != "running":
        return None
    try:
        return printed(container, ["stat", "-Lc", "%i", "/proc/self/ns/ipc"])
    except (AssertionError, LabError):
        return None  # it has ended since it was listed
