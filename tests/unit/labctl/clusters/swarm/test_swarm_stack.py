"""compose.yaml as a stack: the real model's shape, and what a stack refuses is not in it."""

from __future__ import annotations

from typing import Any

import yaml

from labctl.clusters.swarm import stack as swarm_stack
from labctl.config import compose_file
from labctl.config.paths import COMPOSE_FILE

HOME = "abc123"
_REFUSED = {"ipc", "pid", "security_opt", "shm_size", "mem_limit", "cpuset", "depends_on", "build", "restart", "tmpfs"}


def model() -> dict[str, Any]:
    """compose.yaml, in the long form in which Compose prints what the stack reads."""
    found: dict[str, Any] = yaml.safe_load(COMPOSE_FILE.read_text())
    for service in found["services"].values():
        service["volumes"] = [
            {"type": "volume", "source": source, "target": target, "volume": {}}
            for source, target in (volume.split(":")[:2] for volume in service.get("volumes", ()))
        ]
    return found


def stack(*mechanisms: str, matrix: bool = False) -> dict[str, Any]:
    found, _ = swarm_stack.of_model(model(), mechanisms, HOME, matrix=matrix)
    return found


def test_nothing_that_a_stack_refuses_or_ignores_is_left() -> None:
    for name, service in stack(*compose_file.declared(), matrix=True)["services"].items():
        assert not _REFUSED & set(service), name
        assert "LAB_HOLDER" not in service["environment"], name


def test_a_mount_takes_the_place_of_the_tmpfs() -> None:
    (path,) = (text.partition(":")[0] for text in compose_file.common_to_all()["tmpfs"])
    for name, service in stack("sysv_shm", "fifo")["services"].items():
        assert [v["target"] for v in service["volumes"] if v["type"] == "tmpfs"] == [path], name


def test_what_was_dropped_is_told_with_a_reason() -> None:
    _, dropped = swarm_stack.of_model(model(), ["sysv_shm"], HOME, matrix=False)
    assert {"ipc", "security_opt", "mem_limit", "tmpfs"} <= dropped
    assert all(swarm_stack.DROPPED[key] for key in dropped)


def test_every_key_of_a_service_is_kept_or_dropped_knowingly() -> None:
    known = {*swarm_stack.DROPPED, *swarm_stack.KEPT, "environment"}
    declared = model()["services"]
    for mechanism in compose_file.declared():
        for name in compose_file.services_of(mechanism):
            assert set(declared[name]) <= known, name


def test_the_two_sides_are_kept_on_different_nodes() -> None:
    services = stack("tcp", "sysv_shm")["services"]
    assert services["tcp-consumer"]["deploy"]["placement"]["constraints"] == [f"node.id == {HOME}"]
    assert services["tcp-producer"]["deploy"]["placement"]["constraints"] == [f"node.id != {HOME}"]


def test_the_probe_on_another_node_is_the_neighbour_but_for_its_placement() -> None:
    services = stack("tcp", matrix=True)["services"]
    near, far = services["probe-shared-network"]["command"], services["probe-second-host"]["command"]
    assert (near[1], far[1]) == ("shared_network", "second_host")
    assert near[2:] == far[2:]
    assert services["responder"]["deploy"]["placement"]["constraints"] == [f"node.id == {HOME}"]


def test_limits_go_to_deploy_and_no_virtual_address_is_asked_for() -> None:
    deploy = stack("fifo")["services"]["fifo-producer"]["deploy"]
    assert deploy["resources"]["limits"] == {"memory": "96m", "pids": 32}
    assert deploy["endpoint_mode"] == "dnsrr"


def test_networks_and_volumes_are_those_that_are_used() -> None:
    found = stack("tcp", "fifo")
    assert set(found["networks"]) == {"metrics", "tcp"}
    assert set(found["volumes"]) == {"fifo"}
    assert all(network == {"driver": "overlay", "internal": True} for network in found["networks"].values())
