"""Small subnets for the networks of a class, cut out of the engine's own address pools.

Docker gives a network a whole block of its pools: 65,536 or 4,096 addresses, and by default there are 31 blocks
(docs.docker.com/engine/daemon/default-address-pools, libnetwork/ipamutils). A lab has five networks of at most a few
dozen containers, and the seventh lab found no block. A network with a subnet of its own choice takes that subnet alone.
The blocks are the engine's, so they collide with no more of the world than the engine does by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from ipaddress import IPv4Network, ip_network
from pathlib import Path
from typing import Any

import docker
from docker.types import IPAMConfig, IPAMPool

from labctl.lab.containers import PROJECT_LABEL

PREFIX = 26  # 61 containers and a gateway; all pairs, responder, probes, moved consumers and students' own are fewer
_NETWORK_LABEL = "com.docker.compose.network"
# libnetwork/ipamutils/utils.go: the pools of networks on one engine, each with the prefix of its blocks.
_DEFAULT_POOLS = (
    ("172.17.0.0/16", 16),
    ("172.18.0.0/16", 16),
    ("172.19.0.0/16", 16),
    ("172.20.0.0/14", 16),
    ("172.24.0.0/14", 16),
    ("172.28.0.0/14", 16),
    ("192.168.0.0/16", 20),
)
_ROUTES = Path("/proc/net/route")


def blocks(information: Mapping[str, Any]) -> list[IPv4Network]:
    """The blocks of the engine's pools, in its order: those of `daemon.json`, else Docker's own.

    :param information: the engine's answer to `GET /info`
    """
    named = information.get("DefaultAddressPools") or []
    pools = [(str(pool["Base"]), int(pool["Size"])) for pool in named] or _DEFAULT_POOLS
    found = []
    for base, size in pools:
        network = ip_network(base, strict=False)
        if isinstance(network, IPv4Network):
            found += list(network.subnets(new_prefix=max(size, network.prefixlen)))
    return found


def taken(client: docker.DockerClient, routes: Path = _ROUTES) -> list[IPv4Network]:
    """What networks of the engine and routes of this machine have already."""
    subnets = [
        str(config["Subnet"])
        for network in client.networks.list()
        for config in (network.attrs.get("IPAM") or {}).get("Config") or []
        if config.get("Subnet")
    ]
    return [*_ipv4(subnets), *_routes(routes)]


def free(all_blocks: Sequence[IPv4Network], used: Sequence[IPv4Network]) -> Iterator[IPv4Network]:
    """Free subnets: of the last blocks first, since the engine takes the first ones, and of whole free blocks only."""
    for block in reversed(all_blocks):
        if not any(block.overlaps(network) for network in used):
            yield from block.subnets(new_prefix=max(PREFIX, block.prefixlen))


def create_networks(
    client: docker.DockerClient, project: str, networks: Mapping[str, Mapping[str, Any]], subnets: Iterator[IPv4Network]
) -> None:
    """The networks of one lab, with Compose's labels: Compose takes them for its own and makes none.

    One that is there stays.

    :raises docker.errors.APIError: the engine refuses
    """
    there = {network.name for network in client.networks.list(filters={"label": f"{PROJECT_LABEL}={project}"})}
    for name, wanted in networks.items():
        if (full := f"{project}_{name}") not in there:
            client.networks.create(
                full,
                driver="bridge",
                internal=bool(wanted.get("internal")),
                ipam=IPAMConfig(pool_configs=[IPAMPool(subnet=str(next(subnets)))]),
                labels={PROJECT_LABEL: project, _NETWORK_LABEL: name},
            )


def _ipv4(texts: Iterable[str]) -> list[IPv4Network]:
    parsed = [ip_network(text, strict=False) for text in texts]
    return [network for network in parsed if isinstance(network, IPv4Network)]


def _routes(path: Path) -> list[IPv4Network]:
    """The destinations in /proc/net/route but the default: hexadecimal, in the machine's byte order (proc_net(5))."""
    try:
        lines = path.read_text(encoding="ascii").splitlines()[1:]
    except OSError:  # no Linux
        return []
    found = []
    for line in lines:
        fields = line.split()
        if len(fields) > 7 and int(fields[7], 16):
            destination, mask = (int.from_bytes(bytes.fromhex(fields[n])[::-1]) for n in (1, 7))
            found.append(IPv4Network((destination, mask.bit_count())))
    return found
