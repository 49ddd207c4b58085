"""Fixtures: every mechanism, a unique address, peers that are cleared away, and a check for leaks."""

from __future__ import annotations

import random
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sysv_ipc

from conformance.peers import Peer, Zygote
from ipclab import registry
from ipclab.channel import Address, Mechanism, Traits

StartPeer = Callable[[], Peer]


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test here over every mechanism, or those that its `mechanisms` marker picks by traits or by name."""
    marker = metafunc.definition.get_closest_marker("mechanisms")
    picks = marker.kwargs.get("picks", bool) if marker else bool
    among = marker.kwargs.get("among") if marker else None
    names = [name for name in among or registry.names() if picks(registry.load(name).traits)]
    assert names, "the marker picks no mechanism at all"
    metafunc.parametrize("name", names)


@pytest.fixture
def mechanism(name: str) -> Mechanism:
    """The mechanism under test."""
    return registry.load(name)


@pytest.fixture
def traits(mechanism: Mechanism) -> Traits:
    """What it says of itself."""
    return mechanism.traits


@pytest.fixture
def address(tmp_path: Path) -> Address:
    """An address nobody else uses: a random key, a fresh path, a free port."""
    tmp_path.chmod(0o755)
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    key = random.randrange(1 << 20, 1 << 30)
    return Address(key=key, path=tmp_path / f"channel-{key:x}", host="127.0.0.1", port=port)


def kernel_objects() -> dict[str, set[str]]:
    """What outlives a process: the keys of System V objects (proc(5)), the names of POSIX objects of ours."""
    objects = {
        kind: {line.split()[0] for line in Path(f"/proc/sysvipc/{kind}").read_text().splitlines()[1:]}
        for kind in ("shm", "sem", "msg")
    }
    for directory in (Path("/dev/shm"), Path("/dev/mqueue")):  # not every system mounts the second: see mq_overview(7)
        objects[str(directory)] = {entry.name for entry in directory.glob("*ipclab-*")}
    return objects


@pytest.fixture(autouse=True)
def no_leaks(name: str, address: Address) -> Iterator[None]:
    """After `remove`, the kernel holds what it held before, and the path is free."""
    assert sysv_ipc.SEMAPHORE_TIMEOUT_SUPPORTED, "build sysv_ipc from source: pip install --no-binary sysv_ipc sysv_ipc"
    before = kernel_objects()
    yield
    receiver = registry.load(name).create_receiver(address)
    receiver.remove()
    assert kernel_objects() == before
    assert not address.path.exists()


@pytest.fixture(scope="session")
def zygote() -> Iterator[Zygote]:
    """What every endpoint is forked from."""
    zygote = Zygote()
    yield zygote
    zygote.close()


@pytest.fixture
def start(zygote: Zygote, name: str, address: Address) -> Iterator[StartPeer]:
    """Start endpoints; whatever still runs is ended."""
    peers: list[Peer] = []

    def start_one() -> Peer:
        peers.append(Peer(zygote, name, address))
        return peers[-1]

    yield start_one
    for peer in peers:
        peer.stop()


@pytest.fixture
def receiver(start: StartPeer) -> Peer:
    """A receiver in its own process."""
    peer = start()
    peer.do("open", role="receiver")
    return peer


@pytest.fixture
def sender(start: StartPeer, receiver: Peer) -> Peer:  # noqa: ARG001 - the receiver must be there first
    """A sender in its own process, opened on `receiver`'s channel."""
    peer = start()
    peer.do("open", role="sender")
    return peer
