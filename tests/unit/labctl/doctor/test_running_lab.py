"""What doctor makes of the engine's clock, and of networks as the engine describes them."""

from __future__ import annotations

from typing import Any

import pytest

from labctl.doctor import running_lab
from labctl.doctor.finding import Verdict
from support.containers import container


@pytest.mark.parametrize(
    ("engine", "verdict", "says"),
    [
        (1000.0, Verdict.OK, "within 2 s"),
        (1006.9, Verdict.OK, "within 2 s"),  # a slow answer is no clock that is ahead
        (997.0, Verdict.BAD, "3 s behind this machine's"),
        (400.0, Verdict.BAD, "600 s behind this machine's"),
        (-200.0, Verdict.BAD, "1,200 s behind this machine's"),
        (1010.0, Verdict.BAD, "5 s ahead of this machine's"),
    ],
)
def test_a_clock_that_is_off_is_told_from_a_slow_answer(engine: float, verdict: Verdict, says: str) -> None:
    finding = running_lab.clock_finding(engine, asked=1000.0, answered=1005.0)
    assert finding.verdict is verdict
    assert says in finding.found


def network(name: str, **members: str) -> dict[str, Any]:
    return {"Name": name, "Containers": {key.replace("_", "-"): {"Name": value} for key, value in members.items()}}


def test_an_endpoint_without_a_container_makes_a_network_stuck() -> None:
    """libnetwork lists such an endpoint as ep-ID, with the name that its container had."""
    (finding,) = running_lab.of_networks([network("lab_tcp", ep_1="lab-tcp-producer-1")], {"here"}, any_container=True)
    assert finding.verdict is Verdict.BAD
    assert "lab_tcp is stuck" in finding.found
    assert "lab-tcp-producer-1" in finding.found
    assert "restart the Docker Engine" in finding.change


def test_a_stranger_on_a_network_is_named() -> None:
    (finding,) = running_lab.of_networks([network("lab_tcp", here="a", there="b")], {"here"}, any_container=True)
    assert finding.verdict is Verdict.WARN
    assert "not the lab's: b" in finding.found


def test_two_networks_of_one_name_and_networks_without_containers_are_named() -> None:
    left_over, twice = running_lab.of_networks([network("lab_tcp"), network("lab_tcp")], set(), any_container=False)
    assert "left without a container: lab_tcp" in left_over.found
    assert "two networks of one name: lab_tcp" in twice.found


def test_a_member_of_a_holder_that_is_gone_is_told_from_one_that_ended() -> None:
    """The engine: "can't join IPC of container …: No such container"."""
    found = [
        container("holder", id="new"),
        container("sysv-mq-consumer", state="exited", exit_code=75, joins_ipc_of="old"),
        container("sysv-mq-producer", joins_ipc_of="old"),
        container("sysv-shm-consumer", state="exited", exit_code=75, joins_ipc_of="new"),
        container("fifo-consumer"),
    ]
    left, ended = running_lab.of_states(found)
    assert (left.what, left.verdict) == ("IPC namespace", Verdict.BAD)
    assert "sysv-mq-consumer (exited, exit code 75), sysv-mq-producer (still in the old one)" in left.found
    assert "./lab reset" in left.change
    assert ended.what == "stopped"
    assert "sysv-shm-consumer" in ended.found
    assert "sysv-mq-consumer" not in ended.found
