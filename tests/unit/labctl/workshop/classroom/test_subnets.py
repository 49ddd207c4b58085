"""The subnets of a class: out of free blocks of the engine's pools, never over a network or a route that is there."""

from __future__ import annotations

from ipaddress import IPv4Network
from itertools import islice
from pathlib import Path

from labctl.config import compose_file
from labctl.workshop.classroom import subnets


def test_docker_has_31_blocks_by_default() -> None:
    assert len(subnets.blocks({})) == 31


def test_the_pools_of_daemon_json_count_instead() -> None:
    pools = [{"Base": "10.10.0.0/16", "Size": 24}, {"Base": "fd00::/8", "Size": 64}]
    found = subnets.blocks({"DefaultAddressPools": pools})
    assert len(found) == 256
    assert found[0] == IPv4Network("10.10.0.0/24")


def test_only_whole_free_blocks_are_cut_and_the_last_ones_first() -> None:
    blocks = subnets.blocks({})
    used = [IPv4Network("192.168.240.0/20"), IPv4Network("192.168.225.0/24")]
    first = next(iter(subnets.free(blocks, used)))
    assert first == IPv4Network("192.168.208.0/26")
    found = list(subnets.free(blocks, used))
    assert len(found) == len(set(found))
    assert not any(subnet.overlaps(network) for subnet in islice(found, 0, None, 97) for network in used)


def test_one_block_is_room_for_a_class_of_twelve() -> None:
    block = subnets.blocks({})[-1]
    assert len(list(subnets.free([block], []))) // len(compose_file.networks()) >= 12


def test_a_machine_that_is_full_has_none() -> None:
    blocks = subnets.blocks({})
    assert list(subnets.free(blocks, [IPv4Network("172.16.0.0/12"), IPv4Network("192.168.0.0/16")])) == []


def test_a_block_that_is_smaller_than_a_subnet_is_taken_whole() -> None:
    assert list(subnets.free([IPv4Network("10.0.0.0/28")], [])) == [IPv4Network("10.0.0.0/28")]


def test_routes_of_this_machine_are_taken_and_the_default_route_is_none(tmp_path: Path) -> None:
    table = tmp_path / "route"
    head = "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT\n"
    lines = [
        "eth0\t00000000\t0100A8C0\t0003\t0\t0\t0\t00000000\t0\t0\t0\n",
        "eth0\t0000A8C0\t00000000\t0001\t0\t0\t0\t00F0FFFF\t0\t0\t0\n",
    ]
    table.write_text(head + "".join(lines), encoding="ascii")
    assert subnets._routes(table) == [IPv4Network("192.168.0.0/20")]
    assert subnets._routes(tmp_path / "none") == []


def test_compose_yaml_says_of_networks_only_what_is_made_here() -> None:
    assert {key for said in compose_file.networks().values() for key in said} <= {"internal"}
