"""The way back has an address of its own, wherever the first one is; one asker holds the request lock."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ipclab import mechanisms
from ipclab.contract.channel import Address
from ipclab.contract.errors import ChannelFull, PeerAbsent, Unusable
from ipclab.matrix import request_lock
from ipclab.matrix.request_lock import RequestLock, lock_file
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


def test_a_turn_is_one_askers_at_a_time(tmp_path: Path) -> None:
    path = tmp_path / "request-lock"
    with pytest.raises(PeerAbsent) as absent:
        RequestLock(path, 0.0)
    assert absent.value.errno_name == "ENOENT"
    request_lock.make(path)
    first = RequestLock(path, 0.0)
    with pytest.raises(ChannelFull) as busy:
        RequestLock(path, 0.01)
    assert busy.value.errno_name == "EBUSY"
    first.release()
    first.release()
    RequestLock(path, 0.0).release()
    request_lock.remove(path)
    request_lock.remove(path)
    assert not path.exists()


def test_the_lock_file_is_where_the_mechanism_has_something_in_common() -> None:
    fifo, queue, tcp = (mechanisms.load(name).traits for name in ("fifo", "posix_mq", "tcp"))
    assert lock_file(fifo, Address(path=Path("/channel/x"))) == Path("/channel/x.request-lock")
    assert lock_file(queue, Address(path=Path("x"))) == Path("/dev/shm/ipclab-x.request-lock")
    assert lock_file(queue, Address(key=0xAB)) == Path("/dev/shm/ipclab-ab.request-lock")
    with pytest.raises(Unusable):
        lock_file(tcp, Address(port=1))
