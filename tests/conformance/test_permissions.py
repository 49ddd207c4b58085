"""Who may not: another user, and anybody on a volume that is read-only."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from conformance.conftest import StartPeer
from conformance.harness.peers import Peer, PeerError, Zygote
from conformance.harness.volumes import mounted
from ipclab.contract.channel import Address, Sharing


@pytest.fixture
def address(address: Address) -> Iterator[Address]:
    """A path that every user can reach: pytest's own directories are closed to all but one."""
    with tempfile.TemporaryDirectory(prefix="ipclab-test-") as directory:
        Path(directory).chmod(0o755)
        yield replace(address, path=Path(directory) / address.path.name)


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root, to become another user")
@pytest.mark.mechanisms(picks=lambda traits: traits.requires != {Sharing.NETWORK})  # an address there has no owner
@pytest.mark.parametrize("role", ["sender", "receiver"])
def test_another_user_is_refused(role: str, start: StartPeer) -> None:
    """Not because the receiver's umask happens to forbid it."""
    receiver = start()
    receiver.do("clear_umask")
    receiver.do("open", role="receiver")
    with pytest.raises(PeerError) as refused:
        start().do("open", role=role, user=65534)
    assert (refused.value.kind, refused.value.errno_name) == ("AccessRefused", "EACCES")


@pytest.mark.mechanisms(picks=lambda traits: Sharing.VOLUME in traits.requires)
def test_a_read_only_volume_is_named(zygote: Zygote, name: str, address: Address) -> None:
    directory = address.path.parent / "volume"
    directory.mkdir()
    with mounted(directory, "ro,size=64k"):
        receiver = Peer(zygote, name, replace(address, path=directory / "channel"))
        with pytest.raises(PeerError) as refused:
            receiver.do("open", role="receiver")
        receiver.stop()
    assert (refused.value.kind, refused.value.errno_name) == ("AccessRefused", "EROFS")
    directory.rmdir()
