"""No pair shares less than its mechanism needs, or more than Docker's `ipc:` brings along. That isolation is a lesson.

One thing is shared by more than one pair: the four pairs that need an IPC namespace or /dev/shm are all in the
holder's. See docs/decisions/0029-one-ipc-namespace.md.
"""

from __future__ import annotations

import itertools
import json
import socket
from typing import Any

import pytest
from docker.models.containers import Container

from ipclab import mechanisms
from ipclab.contract.channel import Sharing
from ipclab.metrics import definitions as metrics
from lab.harness.stack import Stack, printed
from labctl.place import moved_consumers

# Everything is scraped over this network, and no mechanism uses it.
_METRICS_NETWORK = "metrics"
# What Docker's `ipc:` shares: it has no word for one of the two.
OF_IPC = {Sharing.IPC_NAMESPACE, Sharing.DEV_SHM}
_PAGES = (metrics.PORT, metrics.BENCH_PORT)
_LISTENS = "0A"  # TCP_LISTEN, <net/tcp_states.h>; a UDP socket without a peer is "07"
_UNCONNECTED = "07"
# In a container: tries every [protocol, address, port] of its argument; "" where it gets through, else why not.
_TRY = """
import errno, json, socket, sys
from concurrent.futures import ThreadPoolExecutor
def attempt(target):
    protocol, address, port = target
    with socket.socket(type=socket.SOCK_STREAM if protocol == "tcp" else socket.SOCK_DGRAM) as tried:
        try:
            if protocol == "tcp":
                tried.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, 1000)
            tried.connect((address, port))
            if protocol == "udp":
                tried.settimeout(1)
                tried.send(bytes(64))
                tried.recv(64)
        except TimeoutError as error:
            return errno.errorcode[error.errno] if error.errno else "no answer"
        except OSError as error:
            return errno.errorcode[error.errno]
    return ""
targets = json.loads(sys.argv[1])
with ThreadPoolExecutor(len(targets)) as pool:
    print(json.dumps(list(pool.map(attempt, targets))))
"""


Attributes = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def inspected(stack: Stack) -> Attributes:
    """What Docker says of every producer and consumer."""
    return {name: container.attrs for name, container in stack.endpoints().items()}


def shared(stack: Stack, a: dict[str, Any], b: dict[str, Any]) -> set[Sharing]:
    """What two running containers have in common."""
    found = set()
    modes = [attrs["HostConfig"]["IpcMode"] for attrs in (a, b)]
    if modes[0] == modes[1] and modes[0].startswith("container:"):
        found |= OF_IPC
    volumes = [{mount["Name"] for mount in attrs["Mounts"] if mount["Type"] == "volume"} for attrs in (a, b)]
    if volumes[0] & volumes[1]:
        found.add(Sharing.VOLUME)
    networks = [set(attrs["NetworkSettings"]["Networks"]) for attrs in (a, b)]
    if (networks[0] & networks[1]) - {f"{stack.project}_{_METRICS_NETWORK}"}:
        found.add(Sharing.NETWORK)
    return found


def test_a_pair_shares_exactly_what_it_needs(stack: Stack, inspected: Attributes, mechanism: str) -> None:
    sides = (inspected[f"{mechanism.replace('_', '-')}-{side}"] for side in ("consumer", "producer"))
    needed = mechanisms.load(mechanism).traits.requires
    assert shared(stack, *sides) == (needed | OF_IPC if needed & OF_IPC else needed)


def test_pairs_share_at_most_the_holders_namespace_with_each_other(stack: Stack, inspected: Attributes) -> None:
    for one, other in itertools.combinations(inspected, 2):
        if one.rpartition("-")[0] != other.rpartition("-")[0]:
            assert shared(stack, inspected[one], inspected[other]) in (set(), OF_IPC)


def test_pairs_in_the_holders_namespace_can_open_each_others_objects_and_no_other_pair_can(stack: Stack) -> None:
    """What is said in README and ARCHITECTURE: one namespace for four pairs."""
    script = (
        "import posix_ipc\n"
        "try: print(posix_ipc.MessageQueue('/ipclab-posix-mq').max_messages)\n"
        "except posix_ipc.ExistentialError: print('ENOENT')"
    )
    said = {
        name: printed(container, ["python", "-c", script]).strip()
        for name, container in stack.endpoints().items()
        if name.endswith("-producer")
    }
    for mechanism in stack.mechanisms():
        inside = mechanisms.load(mechanism).traits.requires & OF_IPC
        assert said[f"{mechanism.replace('_', '-')}-producer"] == ("10" if inside else "ENOENT"), mechanism


@pytest.mark.parametrize(
    ("what", "sharing"), [("%i /proc/self/ns/ipc", Sharing.IPC_NAMESPACE), ("%d /dev/shm", Sharing.DEV_SHM)]
)
def test_the_kernel_agrees_about_the_ipc_namespaces(
    stack: Stack, inspected: Attributes, what: str, sharing: Sharing
) -> None:
    numbers = {name: printed(c, ["stat", "-Lc", *what.split()]) for name, c in stack.endpoints().items()}
    for one, other in itertools.combinations(numbers, 2):
        expected = sharing in shared(stack, inspected[one], inspected[other])
        assert (numbers[one] == numbers[other]) is expected, (one, other)


def _addresses(stack: Stack, container: Container) -> dict[str, str]:
    """Network to address."""
    networks = container.attrs["NetworkSettings"]["Networks"]
    return {name.removeprefix(f"{stack.project}_"): network["IPAddress"] for name, network in networks.items()}


def _listening(stack: Stack, container: Container) -> list[tuple[str, str, str, int]]:
    """[protocol, network, address, port] of every socket that waits for others; those of the loopback are its own."""
    found = set()
    own = _addresses(stack, container)
    for protocol, state in (("tcp", _LISTENS), ("udp", _UNCONNECTED)):
        table = printed(container, ["cat", f"/proc/net/{protocol}"]).splitlines()[1:]
        for line in table:
            _, local, _, is_in, *_ = line.split()
            number, _, port = local.partition(":")
            address = socket.inet_ntoa(bytes.fromhex(number)[::-1])
            if is_in == state:
                found |= {
                    (protocol, network, at, int(port, 16)) for network, at in own.items() if address in (at, "0.0.0.0")
                }
    return sorted(found)


@pytest.mark.timeout(200)
def test_no_port_is_reached_that_the_pair_does_not_share(stack: Stack) -> None:
    """From every container to every port of every other one. The pages of metrics are there for all, on `metrics`."""
    ours = {
        name: container
        for name, container in stack.containers().items()
        if container.status == "running"
        and moved_consumers.LABEL not in container.labels
        and container.attrs["Config"]["Entrypoint"] == ["python", "-m", "ipclab"]
    }
    networks = {name: _addresses(stack, container) for name, container in ours.items()}
    sockets = {name: _listening(stack, container) for name, container in ours.items()}
    of_mechanisms = {
        (protocol, at, port) for name in ours for protocol, _, at, port in sockets[name] if port not in _PAGES
    }
    assert len(of_mechanisms) >= 2 + len({"tcp", "udp"}), "the responder's, and those of tcp and udp"
    # What listens on its own network may not be reached on `metrics` either.
    beside = {
        (protocol, networks[name][_METRICS_NETWORK], port)
        for name in ours
        for protocol, _, _, port in sockets[name]
        if port not in _PAGES
    }
    before = stack.accounts("udp")
    for name, container in ours.items():
        targets = sorted(
            {
                (protocol, at, port)
                for other in ours
                if other != name
                for protocol, network, at, port in sockets[other]
                if network not in networks[name]
            }
            | {target for target in beside if target[1] != networks[name][_METRICS_NETWORK]}
        )
        output = printed(container, ["python", "-c", _TRY, json.dumps(targets)])
        said = dict(zip(targets, json.loads(output), strict=True))
        for target, word in said.items():
            expected = {"ECONNREFUSED"} if target in beside else {"ENETUNREACH", "ETIMEDOUT", "no answer"}
            assert word in expected, (name, target, word)
    assert stack.accounts("udp")["corrupt"] == before["corrupt"], "a datagram that is no message came through"


def _published(stack: Stack) -> set[tuple[str, int]]:
    """Address and port on this machine of everything that a container of the lab publishes."""
    return {
        (binding["HostIp"], int(binding["HostPort"]))
        for container in stack.containers().values()
        for bound in (container.attrs["NetworkSettings"]["Ports"] or {}).values()
        for binding in bound or ()
    }


def _gateways(stack: Stack) -> list[str]:
    """The addresses that this machine has in the lab's networks."""
    networks = stack.client.networks.list(filters={"label": f"com.docker.compose.project={stack.project}"})
    return [pool["Gateway"] for network in networks for pool in network.attrs["IPAM"]["Config"] if "Gateway" in pool]


def test_only_the_published_ports_listen_on_this_machine_and_on_loopback_alone(stack: Stack) -> None:
    """From outside: no address of this machine but 127.0.0.1 answers at a port of the lab."""
    published = _published(stack)
    ports = {int(stack.environment[name]) for name in ("LAB_PROMETHEUS_PORT", "LAB_GRAFANA_PORT", "LAB_PAGE_PORT")}
    assert ("127.0.0.1", stack.prometheus_port) in published
    assert published <= {("127.0.0.1", port) for port in ports}
    gateways = _gateways(stack)
    assert gateways
    for address in gateways:
        for _, port in published:
            with socket.socket() as outside:
                outside.settimeout(2)
                assert outside.connect_ex((address, port)) != 0, (address, port)


def test_a_pair_reaches_no_port_of_this_machine(stack: Stack) -> None:
    """From a container: through the addresses that the machine has in the networks of the lab."""
    targets = [("tcp", address, port) for address in _gateways(stack) for _, port in sorted(_published(stack))]
    for name in ("fifo-producer", "tcp-producer"):
        output = printed(stack.container(name), ["python", "-c", _TRY, json.dumps(targets)])
        assert set(json.loads(output)) <= {"ECONNREFUSED", "ENETUNREACH", "EHOSTUNREACH", "ETIMEDOUT", "no answer"}


def test_every_container_is_confined(stack: Stack) -> None:
    for name, container in stack.containers().items():
        config, host = container.attrs["Config"], container.attrs["HostConfig"]
        assert config["User"].split(":")[0] not in ("", "0", "root"), name
        assert host["ReadonlyRootfs"], name
        assert host["CapDrop"] == ["ALL"], name
        assert not host["CapAdd"], name
        assert not host["Privileged"], name
        assert any(option.startswith("no-new-privileges") for option in host["SecurityOpt"]), name
        assert host["Memory"] > 0, name
        assert host["PidsLimit"] > 0, name
        assert host["Init"], name
        assert [mount["Type"] for mount in container.attrs["Mounts"] if mount["Type"] == "bind"] == [], name
        assert not host["PidMode"], name
        for published in (host["PortBindings"] or {}).values():
            assert [binding["HostIp"] for binding in published] == ["127.0.0.1"], name


def test_the_root_cannot_be_written_and_nobody_is_root(stack: Stack) -> None:
    script = "id -u; for folder in / /opt /etc; do touch $folder/x 2>&1; done; true"
    for name, container in stack.endpoints().items():
        user, *refused = printed(container, ["sh", "-c", script]).splitlines()
        assert user == "10001", name
        assert len(refused) == 3, name
        assert all(line.endswith("Read-only file system") for line in refused), (name, refused)
