from __future__ import annotations

from pathlib import Path

import pytest

from ipclab import mechanisms
from ipclab.contract.channel import KEYS_PER_CHANNEL, Sharing
from ipclab.speedup.job import WORKERS
from ipclab.speedup.topology import Topology

assert WORKERS.max is not None
ALL = range(1, WORKERS.max + 1)


def topology(name: str) -> Topology:
    return Topology(mechanisms.load(name).traits, key=1, path=Path("/channel/speedup"), hosts="speedup-{}", port=9000)


def test_queues_are_mailboxes_and_nothing_else_is() -> None:
    topologies = {name: topology(name) for name in mechanisms.names()}
    assert [name for name, it in topologies.items() if it.tasks(1) == it.tasks(2)] == ["posix_mq", "sysv_mq"]


@pytest.mark.parametrize("name", mechanisms.names())
def test_channels_that_differ_share_no_part_of_an_address(name: str) -> None:
    where = topology(name)
    tasks, results = {where.tasks(w) for w in ALL}, {where.results(w) for w in ALL}
    assert len(tasks) == (1 if where.traits.many_receivers else len(ALL))
    assert len(results) == (1 if where.traits.many_senders else len(ALL))
    addresses = [*tasks, *results]
    keys = {address.key + more for address in addresses for more in range(KEYS_PER_CHANNEL)}
    assert len(keys) == KEYS_PER_CHANNEL * len(addresses)
    assert len({address.path.name for address in addresses}) == len(addresses)
    if Sharing.NETWORK in where.traits.requires:
        assert len({(address.host, address.port) for address in addresses}) == len(addresses)


def test_a_worker_listens_on_its_own_host_and_the_coordinator_on_its() -> None:
    assert topology("tcp").tasks(3).host == "speedup-3"
    assert topology("tcp").results(3).host == "speedup-0"
