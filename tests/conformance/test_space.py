"""A place that is full or read-only is an error with numbers, and never the end of the process."""

from __future__ import annotations

import pytest

from conformance.conftest import StartPeer
from conformance.harness.peers import Peer, PeerError
from ipclab.building_blocks.kernel_objects import object_name
from ipclab.building_blocks.ring_channel import RING_BYTES
from ipclab.contract.channel import Address, Sharing, Traits
from ipclab.mechanisms import mmap_file

TOO_SMALL = 1 << 20
ROOMY = 4 << 20
pytestmark = pytest.mark.mechanisms(among=("posix_shm", "mmap_file"))


@pytest.fixture
def place(traits: Traits, address: Address) -> str:
    """Where the memory comes from."""
    return "/dev/shm" if Sharing.DEV_SHM in traits.requires else str(address.path.parent)


@pytest.fixture
def peer(start: StartPeer, place: str) -> Peer:
    """An endpoint for which that is a small file system of its own."""
    peer = start()
    if not peer.do("mount", directory=place, size_bytes=TOO_SMALL):
        pytest.skip("needs the right to mount (root, CAP_SYS_ADMIN)")
    return peer


def test_memory_that_does_not_fit_is_refused_with_numbers_and_leaves_nothing(peer: Peer, place: str) -> None:
    with pytest.raises(PeerError) as full:
        peer.do("open", role="receiver")
    assert (full.value.kind, full.value.errno_name) == ("Unusable", "ENOSPC")
    assert str(TOO_SMALL) in full.value.text
    assert any(str(size) in full.value.text for size in (RING_BYTES, mmap_file.FILE_BYTES))
    assert peer.do("listing", directory=place) == []


def test_it_is_made_as_soon_as_there_is_space(peer: Peer, place: str) -> None:
    peer.do("fill", directory=place)
    with pytest.raises(PeerError):
        peer.do("open", role="receiver")
    peer.do("remount", directory=place, option=f"size={ROOMY}")
    peer.do("open", role="receiver")
    peer.do("open", role="sender")
    assert peer.do("exchange", size=1000, count=3) == 3


def test_a_place_that_fills_up_later_does_not_matter(peer: Peer, place: str) -> None:
    peer.do("remount", directory=place, option=f"size={ROOMY}")
    peer.do("open", role="receiver")
    peer.do("open", role="sender")
    assert peer.do("fill", directory=place) > 0
    # Once around the ring and more: every page of it is written.
    assert peer.do("exchange", size=100_000, count=50) == 50


def test_a_leftover_with_holes_on_a_full_place_is_refused(peer: Peer, place: str, name: str, address: Address) -> None:
    if name == "posix_shm":
        peer.do("make_file", path=f"{place}{object_name(address)}", head="", size=RING_BYTES)
    else:
        peer.do("make_file", path=str(address.path), head="IPCMMAP1", size=mmap_file.FILE_BYTES)
    peer.do("fill", directory=place)
    for role in ("receiver", "sender"):
        with pytest.raises(PeerError) as full:
            peer.do("open", role=role)
        assert (full.value.kind, full.value.errno_name) == ("Unusable", "ENOSPC")


def test_a_read_only_place_is_refused(peer: Peer, place: str) -> None:
    peer.do("remount", directory=place, option=f"size={ROOMY}")
    peer.do("open", role="receiver")
    peer.do("close")
    peer.do("remount", directory=place, option="ro")
    for role in ("receiver", "sender"):
        with pytest.raises(PeerError) as refused:
            peer.do("open", role=role)
        assert refused.value.kind == "AccessRefused"
