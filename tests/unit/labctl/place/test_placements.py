"""Where a consumer can be placed, what is copied from the one that Compose made, and what is said about it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import Mock

from ipclab import mechanisms
from ipclab.contract.channel import Sharing
from ipclab.contract.errors import FULL
from ipclab.matrix.placement import Placement
from labctl.config.configuration import Configuration
from labctl.lab.containers import Container
from labctl.place import moved_consumers, relocated_container
from labctl.place.findings import Finding

CONFIGURATION = Configuration("it", {"LAB_TCP_PORT": "9465", "LAB_UDP_PORT": "9001"})


def consumer(mechanism: str, **host: Any) -> Container:
    """A consumer as the engine describes it, stopped or not."""
    docker = Mock()
    docker.id = f"{mechanism}-id"
    docker.attrs = {
        "Config": {
            "Image": "ipclab/lab:it",
            "User": "10001:10001",
            "Cmd": ["consumer", mechanism, "--key", "7", "--shared-ledger", "/ledger"],
            "Env": ["LAB_RATE=200", "LAB_HOLDER=holder"],
        },
        "HostConfig": {"ReadonlyRootfs": True, "CapDrop": ["ALL"], "Memory": 1, "IpcMode": "container:abc", **host},
        "Mounts": [{"Name": f"it_{mechanism}", "Destination": "/channel"}, {"Name": "its", "Destination": "/state"}],
        "NetworkSettings": {
            "Networks": {"it_metrics": {"Aliases": ["exporter"]}, "it_tcp": {"Aliases": ["tcp-receiver"]}}
        },
    }
    service = f"{mechanism.replace('_', '-')}-consumer"
    return Container(docker, service, 1, "short", "running", "none", 0, False, 0, 0.0, None, {})


def test_every_pair_can_be_moved_to_where_it_shares_something_else() -> None:
    assert moved_consumers.elsewhere("sysv_shm") == [
        Placement.IPC_NAMESPACE,
        Placement.SHARED_VOLUME,
        Placement.SHARED_NETWORK,
        Placement.SECOND_HOST,
    ]
    for name in mechanisms.names():
        places = moved_consumers.elsewhere(name)
        assert len(places) == 4
        assert Placement.SECOND_HOST in places
        reached = [place for place in places if moved_consumers.reaches(name, place)]
        only_there = {Sharing.NETWORK: Placement.SECOND_HOST, Sharing.IPC_NAMESPACE: Placement.IPC_NAMESPACE}
        (needed,) = mechanisms.load(name).traits.requires
        assert reached == ([only_there[needed]] if needed in only_there else [])


def body(mechanism: str, placement: Placement) -> dict[str, Any]:
    producer = replace(consumer(mechanism), service=f"{mechanism}-producer")
    return relocated_container.configuration_of(consumer(mechanism), producer, placement, CONFIGURATION)


def test_the_second_host_shares_its_network_alone() -> None:
    made = body("sysv_mq", Placement.SECOND_HOST)
    port = relocated_container.metrics_port("sysv_mq", CONFIGURATION)
    assert made["Cmd"] == ["consumer", "sysv_mq", "--key", "7", "--metrics-port", str(port)]
    assert made["Env"] == ["LAB_RATE=200", "LAB_PLACEMENT=second_host"], (
        "it would leave the namespace of a holder that it is not with"
    )
    assert made["HostConfig"]["IpcMode"] == "private"
    assert made["HostConfig"]["NetworkMode"] == "host"
    assert "Binds" not in made["HostConfig"]
    assert made["HostConfig"]["Memory"] == 1, "nothing else bounds what the engine there starts"
    assert made["HostConfig"]["CapDrop"] == ["ALL"]
    assert made["User"] == "10001:10001"


def test_each_consumer_there_has_a_metrics_port_of_its_own() -> None:
    ports = [relocated_container.metrics_port(name, CONFIGURATION) for name in mechanisms.names()]
    assert len(set(ports)) == len(ports)
    assert not {9464, 9465, 9001} & set(ports)


def test_prometheus_is_told_of_those_on_the_second_host() -> None:
    port = relocated_container.metrics_port("tcp", CONFIGURATION)
    assert relocated_container.targets(["tcp"], CONFIGURATION) == [{"targets": [f"second-host:{port}"]}]
    assert relocated_container.targets([], CONFIGURATION) == [{"targets": []}]


def test_what_is_shared_on_this_host_is_the_producers_and_no_more() -> None:
    def shared(mechanism: str, placement: Placement) -> tuple[Any, Any, bool]:
        host = body(mechanism, placement)["HostConfig"]
        assert host["NetworkMode"] == "it_metrics", "a pair's own network, where only Prometheus's is needed"
        return host.get("Binds"), host["IpcMode"], "/dev/shm" in host.get("Tmpfs", {})

    for name in mechanisms.names():
        expected = {
            Placement.SHARED_VOLUME: ([f"it_{name}:/channel"], "private", False),
            Placement.SHARED_NETWORK: (None, "private", False),
            Placement.SHARED_IPC: (None, f"container:{name}-id", False),
            Placement.IPC_NAMESPACE: (None, f"container:{name}-id", True),
        }
        for place in set(moved_consumers.elsewhere(name)) - {Placement.SECOND_HOST}:
            assert shared(name, place) == expected[place]


def test_what_is_said_about_one_that_is_elsewhere() -> None:
    arrives = Finding("tcp", Placement.SECOND_HOST, "running", ["network"], ["network"], 200.0, [], {})
    assert str(arrives) == "placed: the consumer of tcp is at second_host: 200 messages/s arrive"
    assert "is at second_host (exited): 200" in str(replace(arrives, state="exited"))
    inodes = {"producer": "4026531001", "consumer": "4026531002"}
    dark = Finding(
        "sysv_shm", Placement.SECOND_HOST, "running", ["network"], ["ipc namespace"], 0.0, ["EAGAIN"], inodes
    )
    assert "receives nothing: sysv_shm needs the producer's ipc namespace" in str(dark)
    assert "(4026531002 ≠ 4026531001)" in str(dark)
    without = Finding("fifo", Placement.SHARED_IPC, "running", ["ipc namespace"], ["volume"], 0.0, ["ENXIO"], inodes)
    assert "fifo needs the producer's volume; the producer gets ENXIO" in str(without)
    assert "the producer gets EAGAIN" in str(dark)
    apart = Finding("tcp", Placement.SHARED_IPC, "running", ["ipc namespace"], ["network"], 0.0, ["EAI_AGAIN"], {})
    assert "tcp needs the producer's network (the receiver listens only on the network of the pair)" in str(apart)
    assert "not measured" in str(replace(arrives, messages_per_s=None))
    cut = replace(arrives, messages_per_s=0.0, producer_errors=["ETIMEDOUT"])
    assert str(cut).endswith("nothing arrives; the producer gets ETIMEDOUT")
    assert str(replace(cut, producer_errors=[FULL])).endswith("nothing arrives; the producer finds its channel full")
    both = replace(cut, producer_errors=["EAGAIN", FULL])
    assert str(both).endswith("; the producer gets EAGAIN and finds its channel full")
