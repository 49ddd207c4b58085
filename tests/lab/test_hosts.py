"""A second Docker Engine: what crosses to it is what needs a network alone, and it leaves nothing."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ipclab import mechanisms
from ipclab.contract.channel import Sharing
from ipclab.runtime.overrides import Load
from lab.harness import browser, cis_benchmark, readme_matrix, second
from lab.harness.browser import Tab
from lab.harness.page_picture import is_within, pairs, state_of
from lab.harness.stack import Stack, printed, wait_until
from support.security_page import capabilities_of_engines

PAIRS = ("fifo", "posix_mq", "sysv_mq", "sysv_shm", "tcp", "udp")  # of the lab: see conftest.py
# TCP_USER_TIMEOUT is 5 s (services/ipclab/mechanisms/tcp.py).
SHORT_CUT_S, LONG_CUT_S = 3, 20
DRAWN_WITHIN_S = 60  # on a busy machine
OTHER_HOST = ".host.second"


@pytest.fixture(scope="module")
def second_host(stack: Stack) -> Iterator[Stack]:
    """The lab with a second engine, started once; afterwards nothing of that is left."""
    before = set(stack.leftovers())
    up = stack.lab("hosts", "up", within_s=200)
    try:
        assert up.returncode == 0, up.stderr
        groups = second.control_groups(stack)
        yield stack
    finally:
        down = stack.lab("hosts", "down")
    assert down.returncode == 0, down.stderr
    assert set(stack.leftovers()) == before
    # This second host's alone: another lab on this engine may have one too.
    assert not list(Path("/sys/fs/cgroup").glob(groups))


@pytest.fixture(scope="module")
def picture(second_host: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """The page's picture of the lab, in a browser."""
    with browser.tab(browser.install(), tmp_path_factory.mktemp("browser")) as tab:
        tab.open(f"http://127.0.0.1:{second_host.environment['LAB_PAGE_PORT']}/?lang=en&theme=light", 1280, 720)
        wait_until("the picture is drawn", DRAWN_WITHIN_S, lambda: pairs(tab) == len(second_host.mechanisms()))
        yield tab


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
    for where, hint in (("second_host", "./lab hosts up"), ("--back", "./lab place --help")):
        refused = stack.lab("place", "udp", where)
        assert refused.returncode == 2, refused.stderr
        assert f"(hint: {hint}" in refused.stderr
    assert {container.id for container in stack.containers().values()} == before


def test_a_second_host_holds_the_benchmark_but_for_what_is_excepted(second_host: Stack) -> None:
    table = cis_benchmark.table()
    host = second_host.container("second-host")
    assert cis_benchmark.failures(host) == {
        item for item, row in table.items() if cis_benchmark.excepted(row.engines) is None
    }
    asked = host.attrs["HostConfig"]
    assert {name.removeprefix("CAP_") for name in asked["CapAdd"]} == set(capabilities_of_engines())
    assert asked["CapDrop"] == ["ALL"]
    status = printed(host, ["cat", "/proc/1/status"])
    assert re.search(r"^Seccomp:\s+2$", status, re.MULTILINE), "no filter: proc(5)"


@pytest.mark.timeout(300)
def test_a_second_host_is_reached_by_the_network_mechanisms_alone(second_host: Stack) -> None:
    shown = second_host.lab("matrix", "--json")
    assert shown.returncode == 0, shown.stderr
    cells = {c["mechanism"]: c for c in json.loads(shown.stdout)["cells"] if c["placement"] == "second_host"}
    assert set(cells) == set(mechanisms.names())
    for name, cell in cells.items():
        remote = mechanisms.load(name).traits.requires == {Sharing.NETWORK}
        assert (cell["success"], cell["error"]) == ((True, None) if remote else (False, "ENOENT")), name
    markdown = second_host.lab("matrix", "--markdown")
    assert readme_matrix.cells(markdown.stdout) == readme_matrix.of_readme(), "README's table is not what is measured"
    evidence = second_host.lab("matrix", "--explain", "sysv_shm", "second_host")
    assert "shmget(key 0x" in evidence.stdout
    assert "= -1 ENOENT" in evidence.stdout
    assert "probe at second-host (asks)" in evidence.stdout
    assert "/var/lib/docker" not in evidence.stdout, "that is its engine's, and not the probe's"


def test_the_probe_there_is_confined_as_those_here(second_host: Stack) -> None:
    (there,) = second.engine(second_host).containers.list()
    here = second_host.container("probe-shared-network").attrs
    for name in ("CapDrop", "Init", "LogConfig", "Memory", "PidsLimit", "ReadonlyRootfs", "SecurityOpt", "Tmpfs"):
        assert there.attrs["HostConfig"][name] == here["HostConfig"][name], name
    assert not there.attrs["HostConfig"]["CapAdd"]
    assert not there.attrs["HostConfig"]["Privileged"]
    assert there.attrs["Config"]["User"] == here["Config"]["User"]


@pytest.mark.timeout(120)
def test_shared_memory_goes_dark_on_the_other_host_and_nothing_is_lost(second_host: Stack, picture: Tab) -> None:
    before = second_host.settle("sysv_shm")
    said = place(second_host, "sysv_shm", "second_host")
    try:
        assert "receives nothing: sysv_shm needs the producer's ipc namespace" in said
        there = pair(second_host, "sysv_shm")
        assert (there["placement"], there["messages_per_s"]) == ("second_host", 0)
        assert there["producer_errors"] == ["full"], "nobody takes what is in the ring"
        assert there["received"] >= before["received"], "its accounts did not come with it"
        host = second_host.container("sysv-shm-producer").attrs["HostConfig"]
        limits = [str(host["Memory"]), str(host["PidsLimit"])]
        assert list(second.limits_of(second_host).values()) == [(limits, limits)] * 2, "the consumer's, and the probe's"
        wait_until("it is drawn", DRAWN_WITHIN_S, lambda: is_within(picture, "sysv_shm.consumer", OTHER_HOST))
        wait_until("it is drawn dark", DRAWN_WITHIN_S, lambda: state_of(picture, "sysv_shm") == "refused")
        assert not is_within(picture, "sysv_shm.producer", OTHER_HOST)
    finally:
        place(second_host, "sysv_shm", "--back")
    after = second_host.settle("sysv_shm")
    assert after["received"] > before["received"]
    assert {**after, "sent": 0, "received": 0} == {**before, "sent": 0, "received": 0}


@pytest.mark.timeout(180)
def test_each_side_of_a_queue_has_one_of_its_own_and_nothing_is_lost(second_host: Stack) -> None:
    queues = ("sysv_mq", "posix_mq")
    before = second_host.settle_all(*queues)
    try:
        for name in queues:
            said = place(second_host, name, "second_host")
            assert f"receives nothing: {name} needs the producer's ipc namespace" in said
        for name in queues:
            there = pair(second_host, name)
            assert (there["placement"], there["messages_per_s"]) == ("second_host", 0)
            assert there["producer_errors"] == ["EAGAIN"], "its own queue is not full"
            assert there["received"] >= before[name]["received"], "its accounts did not come with it"
            assert len(set(there["ipc_namespaces"].values())) == 2
        held = json.loads(second_host.lab("status", "--json").stdout)["kernel"]["queues"]
        waiting = {queue["mechanism"]: queue["messages"] for queue in held}
        over_there = {name: second.queues_of(second_host, name) for name in queues}
        for name in queues:
            assert waiting[name] > 0, f"nothing waits in the queue that the producer of {name} has"
            assert over_there[name], f"the consumer of {name} has no queue"
    finally:
        for name in queues:
            place(second_host, name, "--back")
    after = second_host.settle_all(*queues)
    for name in queues:
        assert after[name]["received"] > before[name]["received"]
        assert {**after[name], "sent": 0, "received": 0} == {**before[name], "sent": 0, "received": 0}


@pytest.mark.timeout(300)
def test_tcp_and_udp_go_on_across_the_engines_through_a_short_cut_and_after_a_long_one(
    second_host: Stack, picture: Tab
) -> None:
    remote = ("tcp", "udp")
    before = second_host.settle_all(*remote)
    try:
        for name in remote:
            said = place(second_host, name, "second_host")
            assert "messages/s arrive" in said
        there = {name: pair(second_host, name) for name in remote}
        for name in remote:
            assert there[name]["received"] > before[name]["received"], "its accounts did not come with it"

            wait_until("it is drawn", DRAWN_WITHIN_S, lambda m=name: is_within(picture, f"{m}.consumer", OTHER_HOST))  # type: ignore[misc]
            wait_until("it flows", DRAWN_WITHIN_S, lambda m=name: state_of(picture, m) == "flows")  # type: ignore[misc]

        opens = second_host.total("tcp-producer", "ipc_channel_opens_total")
        second.cut(second_host, remote, SHORT_CUT_S)
        second.arrives(second_host, remote, "after a short cut")
        assert second_host.total("tcp-producer", "ipc_channel_opens_total") == opens, "the stream did not go on"
        assert pair(second_host, "tcp")["lost"] == there["tcp"]["lost"]
        first = there["udp"]["lost"]  # a datagram that does not come is called lost after two seconds
        known = wait_until("what udp lost is counted", 20, lambda: _more(pair(second_host, "udp")["lost"], first))

        second.cut(second_host, remote, LONG_CUT_S)
        second.arrives(second_host, remote, "after a long cut")
        assert second_host.total("tcp-producer", "ipc_channel_opens_total") > opens, "nobody gave the connection up"
        lost_before = there["tcp"]["lost"]  # Prometheus shows the loss with the next scrape of both sides
        wait_until("what tcp lost is counted", 20, lambda: _more(pair(second_host, "tcp")["lost"], lost_before))
        mended = {name: pair(second_host, name) for name in remote}
        lost, then = (row["lost_by_reason"]["channel"] for row in (mended["tcp"], there["tcp"]))
        assert lost - then == mended["tcp"]["lost"] - there["tcp"]["lost"] > 0, "what the kernel had taken is lost"
        wait_until("what udp lost is counted", 20, lambda: _more(pair(second_host, "udp")["lost"], known))
    finally:
        for name in remote:
            place(second_host, name, "--back")
    after = second_host.settle_all(*remote)
    for name in remote:
        assert after[name]["sent"] == after[name]["received"] + after[name]["lost"]
        assert after[name]["received"] > mended[name]["received"], "what was received over there was forgotten"
        moved = mended[name]["received"] - there[name]["received"]
        assert after[name]["lost"] - mended[name]["lost"] < moved, "it counts as lost"
        assert (after[name]["corrupt"], after[name]["duplicate"]) == (
            before[name]["corrupt"],
            before[name]["duplicate"],
        )


@pytest.mark.timeout(120)
def test_a_namespace_in_common_is_of_no_use_to_a_fifo_and_up_puts_its_consumer_back(second_host: Stack) -> None:
    before = second_host.settle("fifo")
    assert "fifo needs the producer's volume" in place(second_host, "fifo", "shared_ipc")
    there = pair(second_host, "fifo")
    assert there["ipc_namespaces"]["consumer"] == there["ipc_namespaces"]["producer"]
    assert (there["shares"], there["messages_per_s"]) == (["/dev/shm", "ipc namespace"], 0)
    up = second_host.lab("up", "fifo")
    assert up.returncode == 0, up.stderr
    assert "moved the consumer of fifo back from shared_ipc" in up.stderr
    assert json.loads(second_host.lab("status", "--json").stdout)["placements"] == []
    after = second_host.settle("fifo")
    assert after["received"] > before["received"]
    assert after["duplicate"] == before["duplicate"]


@pytest.mark.timeout(150)
def test_up_again_changes_nothing_and_down_after_a_crash_brings_the_books_home(second_host: Stack) -> None:
    """Last of all: there is no second host afterwards."""
    before = second_host.settle("tcp")
    (probe,) = second.engine(second_host).containers.list()
    again = second_host.lab("hosts", "up")
    assert again.returncode == 0, again.stderr
    place(second_host, "tcp", "second_host")
    assert probe.id in {container.id for container in second.engine(second_host).containers.list()}
    second_host.set_load("tcp", Load(rate=1, size_bytes=1024))  # little is on the way when its engine dies
    moved = pair(second_host, "tcp")["received"] - before["received"]
    second_host.container("second-host").kill()
    down = second_host.lab("hosts", "down")
    assert down.returncode == 0, down.stderr
    assert "moved the consumer of tcp back from second_host" in down.stderr
    after = second_host.settle("tcp")
    assert after["lost"] - before["lost"] < moved, "what was received over there was forgotten"
    again = second_host.lab("hosts", "down")
    assert (again.returncode, again.stdout) == (0, "there is no second host\n")


def _more(count: int, than: int) -> int:
    return count if count > than else 0
