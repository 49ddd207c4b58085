"""A second Docker Engine: what crosses to it is what needs a network alone, and it leaves nothing."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from docker.models.networks import Network

from ipclab import registry
from ipclab.channel import Sharing
from lab import readme_matrix
from lab.stack import Stack, wait_until

# TCP_USER_TIMEOUT is 5 s (services/ipclab/mechanisms/tcp.py).
SHORT_CUT_S, LONG_CUT_S = 3, 20


@pytest.fixture(scope="module")
def second_host(stack: Stack) -> Iterator[Stack]:
    """The lab with a second engine, started once; afterwards nothing of that is left."""
    before = set(stack.leftovers())
    up = stack.lab("hosts", "up", within_s=200)
    try:
        assert up.returncode == 0, up.stderr
        yield stack
    finally:
        down = stack.lab("hosts", "down")
    assert down.returncode == 0, down.stderr
    assert set(stack.leftovers()) == before
    assert not list(Path("/sys/fs/cgroup").glob("*/ipclab-second-host-*"))


def pair(stack: Stack, mechanism: str) -> dict[str, Any]:
    """What `./lab status` says of the pair, and of where its consumer is."""
    shown = stack.lab("status", "--json")
    assert shown.returncode == 0, shown.stderr
    document = json.loads(shown.stdout)
    (found,) = (row for row in document["pairs"] if row["mechanism"] == mechanism)
    (placed,) = (row for row in document["placements"] if row["mechanism"] == mechanism)
    return {**found, **placed}


def place(stack: Stack, *arguments: str) -> str:
    done = stack.lab("place", *arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_placement_that_is_not_there_changes_nothing(stack: Stack) -> None:
    """First of all: there is no second host yet."""
    before = {container.id for container in stack.containers().values()}
    for arguments in (("udp", "second_host"), ("udp", "--back")):
        refused = stack.lab("place", *arguments)
        assert refused.returncode == 2, refused.stderr
        assert "./lab hosts up" in refused.stderr or "./lab place udp" in refused.stderr
    assert {container.id for container in stack.containers().values()} == before


@pytest.mark.timeout(300)
def test_a_second_host_is_reached_by_the_network_mechanisms_alone(second_host: Stack) -> None:
    shown = second_host.lab("matrix", "--json")
    assert shown.returncode == 0, shown.stderr
    cells = {c["mechanism"]: c for c in json.loads(shown.stdout)["cells"] if c["placement"] == "second_host"}
    assert set(cells) == set(registry.names())
    for name, cell in cells.items():
        remote = registry.load(name).traits.requires == {Sharing.NETWORK}
        assert (cell["success"], cell["error"]) == ((True, None) if remote else (False, "ENOENT")), name
    printed = second_host.lab("matrix", "--markdown")
    assert readme_matrix.cells(printed.stdout) == readme_matrix.of_readme(), "README's table is not what is measured"
    evidence = second_host.lab("matrix", "--explain", "sysv_shm", "second_host")
    assert "shmget(key 0x" in evidence.stdout
    assert "= -1 ENOENT" in evidence.stdout


@pytest.mark.timeout(120)
def test_shared_memory_goes_dark_on_the_other_host_and_nothing_is_lost(second_host: Stack) -> None:
    before = second_host.settle("sysv_shm")
    said = place(second_host, "sysv_shm", "second_host")
    try:
        assert "dark: sysv_shm needs the same ipc namespace" in said
        there = pair(second_host, "sysv_shm")
        assert (there["placement"], there["messages_per_s"]) == ("second_host", 0)
        assert there["producer_errors"] == ["EAGAIN"], "nobody takes what is in the ring"
        assert there["received"] >= before["received"], "its books did not come with it"
    finally:
        place(second_host, "sysv_shm", "--back")
    after = second_host.settle("sysv_shm")
    assert after["received"] > before["received"]
    assert {**after, "sent": 0, "received": 0} == {**before, "sent": 0, "received": 0}


@pytest.mark.timeout(240)
def test_tcp_goes_on_across_the_engines_through_a_short_cut_and_after_a_long_one(second_host: Stack) -> None:
    before = second_host.settle("tcp")
    said = place(second_host, "tcp", "second_host")
    try:
        assert "messages/s arrive there" in said
        there = pair(second_host, "tcp")
        assert there["received"] > before["received"], "its books did not come with it"

        link = second_host.client.networks.get(f"{second_host.project}_tcp")
        opens = second_host.total("tcp-producer", "ipc_channel_opens_total")
        _cut(second_host, link, SHORT_CUT_S)
        _arrives(second_host, "after a short cut")
        assert second_host.total("tcp-producer", "ipc_channel_opens_total") == opens, "the stream did not go on"
        assert pair(second_host, "tcp")["lost"] == there["lost"]

        _cut(second_host, link, LONG_CUT_S)
        _arrives(second_host, "after a long cut")
        assert second_host.total("tcp-producer", "ipc_channel_opens_total") > opens, "nobody gave the connection up"
        mended = pair(second_host, "tcp")
        lost, known = (row["lost_by_reason"]["channel"] for row in (mended, there))
        assert lost - known == mended["lost"] - there["lost"] > 0, "what the kernel had taken is lost, and counted"
    finally:
        place(second_host, "tcp", "--back")
    after = second_host.settle("tcp")
    assert after["sent"] == after["received"] + after["lost"]
    assert after["received"] > mended["received"], "what was received over there was forgotten"
    assert after["lost"] - mended["lost"] < mended["received"] - there["received"], "it counts as lost"
    assert (after["corrupt"], after["duplicate"]) == (before["corrupt"], before["duplicate"])


@pytest.mark.timeout(120)
def test_up_puts_a_consumer_back(second_host: Stack) -> None:
    before = second_host.settle("fifo")
    place(second_host, "fifo", "shared_network")
    up = second_host.lab("up", "fifo")
    assert up.returncode == 0, up.stderr
    assert "the consumer of fifo was at shared_network and is back" in up.stderr
    assert json.loads(second_host.lab("status", "--json").stdout)["placements"] == []
    after = second_host.settle("fifo")
    assert after["received"] > before["received"]
    assert after["duplicate"] == before["duplicate"]


def _cut(stack: Stack, link: Network, seconds: int) -> None:
    """Unplug the second host from the pair's network for so long. The time is what is tested."""
    host = stack.container("second-host")
    names = host.attrs["NetworkSettings"]["Networks"][link.name]["Aliases"]
    link.disconnect(host)
    end = time.monotonic() + seconds
    try:
        wait_until("the time of the cut is over", seconds + 1, lambda: time.monotonic() >= end)
    finally:
        link.connect(host, aliases=[name for name in names if name != host.short_id])


def _arrives(stack: Stack, when: str) -> None:
    """Until more is received there than now."""
    received = "sum(ipc_messages_received_total{mechanism='tcp', instance=~'second-host:.*'})"

    def count() -> float:
        return float((stack.query(received) or [{"value": [0, "0"]}])[0]["value"][1])

    first = count()
    wait_until(f"messages arrive {when}", 30, lambda: count() > first)
