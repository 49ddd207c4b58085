"""The way back has an address of its own, wherever the first one is; one asker holds the request lock."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from ipclab import mechanisms
from ipclab.contract.channel import Address
from ipclab.contract.errors import ChannelFull, PeerAbsent, Unusable
from ipclab.matrix.request_lock import LockFile, LockObject, LockQueue, RequestLock, lock_object
from ipclab.matrix.request_reply import reply_address
from ipclab.mechanisms.sysv_shm import _words_keys

MAX_KEY = 2**31 - 1


def _keys(first: int) -> set[int]:
    """What `sysv_shm` uses at an address."""
    return {first, *_words_keys(first)}


@pytest.mark.parametrize("key", [1, 2, 1 << 20, *range(MAX_KEY - 12, MAX_KEY + 1)])
def test_the_way_back_has_keys_of_its_own(key: int) -> None:
    back = reply_address(Address(key=key)).key
    assert _keys(key).isdisjoint(_keys(back))
    assert all(0 < k <= MAX_KEY for k in _keys(back))


def test_the_way_back_is_beside_the_way_there() -> None:
    there = Address(key=5, path=Path("/channel/fifo"), host="h", port=9)
    assert reply_address(there) == replace(there, key=8, path=Path("/channel/fifo.reply"))
    assert reply_address(Address(key=5)).path == Path()


@pytest.fixture(params=[LockFile, LockQueue])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> LockObject:
    name = f"request-lock-{os.getpid():x}"
    return LockFile(tmp_path / name) if request.param is LockFile else LockQueue(f"/{name}")


def test_the_lock_is_one_askers_at_a_time_and_the_next_ones_when_it_dies(place: LockObject) -> None:
    with pytest.raises(PeerAbsent) as absent:
        RequestLock(place, 0.0)
    assert absent.value.errno_name == "ENOENT"
    place.make()
    place.make()
    first = RequestLock(place, 0.0)
    with pytest.raises(ChannelFull) as busy:
        RequestLock(place, 0.01)
    assert busy.value.errno_name == "EAGAIN", "what flock(2) returned"
    first.release()
    first.release()
    dies = os.fork()
    if not dies:
        RequestLock(place, 0.0)
        os._exit(0)
    os.waitpid(dies, 0)
    RequestLock(place, 0.0).release()
    place.remove()
    place.remove()
    with pytest.raises(PeerAbsent):
        RequestLock(place, 0.0)


def test_the_lock_is_where_the_mechanism_has_something_in_common() -> None:
    fifo, queue, segment, object_, tcp = (
        mechanisms.load(name).traits for name in ("fifo", "posix_mq", "sysv_shm", "posix_shm", "tcp")
    )
    assert lock_object(fifo, Address(path=Path("/channel/x"))) == LockFile(Path("/channel/x.request-lock"))
    assert lock_object(object_, Address(path=Path("x"))) == LockFile(Path("/dev/shm/ipclab-x.request-lock"))
    assert lock_object(queue, Address(path=Path("x"))) == LockQueue("/ipclab-x.request-lock")
    assert lock_object(segment, Address(key=0xAB)) == LockQueue("/ipclab-ab.request-lock")
    with pytest.raises(Unusable):
        lock_object(tcp, Address(port=1))
