"""Fixtures: every mechanism, a unique address, peers that are cleared away, and a check for leaks."""

from __future__ import annotations

import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import sysv_ipc

from conformance.harness import kernel
from conformance.harness.peers import Peer, Zygote
from conformance.harness.roles import Role, busy_pair
from ipclab import mechanisms
from ipclab.contract.channel import Address, Mechanism, Traits
from labctl.lab.ports import free_port

StartPeer = Callable[[], Peer]
# Names in /dev/shm are the machine's: another run of this suite has another prefix.
_FIRST_KEY = random.randrange(1 << 20, 1 << 30)
_KEYS = range(_FIRST_KEY, _FIRST_KEY + (1 << 16))  # of this run: it looks for no other where others have keys too
_PREFIX = f"channel-{os.getpid():x}-"


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run every test here over every mechanism, or those that its `mechanisms` marker picks by traits or by name."""
    marker = metafunc.definition.get_closest_marker("mechanisms")
    picks = marker.kwargs.get("picks", bool) if marker else bool
    among = marker.kwargs.get("among") if marker else None
    names = [name for name in among or mechanisms.names() if picks(mechanisms.load(name).traits)]
    assert names, "the marker picks no mechanism at all"
    metafunc.parametrize("name", names)


@pytest.fixture
def mechanism(name: str) -> Mechanism:
    """The mechanism under test."""
    return mechanisms.load(name)


@pytest.fixture
def traits(mechanism: Mechanism) -> Traits:
    """What it says of itself."""
    return mechanism.traits


@pytest.fixture
def address(tmp_path: Path) -> Address:
    """An address nobody else uses: a random key, a fresh path, a free port."""
    tmp_path.chmod(0o755)
    key = random.choice(_KEYS)
    return Address(key=key, path=tmp_path / f"{_PREFIX}{key:x}", host="127.0.0.1", port=free_port())


def kernel_objects() -> dict[str, set[str]]:
    """What outlives a process and is ours, as far as can be told."""
    return kernel.objects(_PREFIX, _KEYS)


@pytest.fixture(scope="package", autouse=True)
def own_ipc_namespace() -> Iterator[None]:
    """Nobody else's objects come and go while we look, where we may have a namespace of our own."""
    with kernel.own_ipc_namespace():
        yield


@pytest.fixture(autouse=True)
def no_leaks(name: str, address: Address) -> Iterator[None]:
    """After `remove`, the kernel holds what it held before, and the path is free."""
    assert sysv_ipc.SEMAPHORE_TIMEOUT_SUPPORTED, "build sysv_ipc from source: pip install --no-binary sysv_ipc sysv_ipc"
    before = kernel_objects()
    yield
    receiver = mechanisms.load(name).create_receiver(address)
    receiver.remove()
    assert kernel_objects() == before
    assert not address.path.exists()


@pytest.fixture(scope="package")
def zygote(own_ipc_namespace: None) -> Iterator[Zygote]:  # noqa: ARG001 - it is to be in that namespace
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


@pytest.fixture
def pair(name: str, address: Address, tmp_path: Path) -> Iterator[tuple[Role, Role]]:
    """The loops of a producer and a consumer in their own processes, with traffic between them."""
    with busy_pair(name, address, tmp_path) as both:
        yield both
