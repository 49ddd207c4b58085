"""The responder's processes, and what a probe says of them: real endpoints, killed for real."""

from __future__ import annotations

import os
import random
import signal
import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

import pytest

from ipclab import mechanisms
from ipclab.contract.channel import Address
from ipclab.contract.errors import NOT_TOLD, ChannelError, PeerAbsent
from ipclab.matrix import request_reply
from ipclab.matrix import responder as echo
from ipclab.matrix.placement import Placement
from ipclab.matrix.probe import QUESTION_BYTES, REMEMBERED, Attempt, Prober, attempt, explained
from ipclab.matrix.responder import Responder
from ipclab.matrix.told_address import Told, given
from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Role, Sample
from ipclab.metrics.exposition import Page
from ipclab.metrics.histogram import Histogram
from ipclab.metrics.page_server import PageServer
from ipclab.runtime.lifecycle import EndpointStatus, Stop

WITHIN_S = 10.0
TRIED = ("fifo", "sysv_mq", "tcp")  # one-way, two-way by types, two-way by connection


@pytest.fixture(autouse=True)
def cpus_as_before() -> Iterator[None]:
    """What is measured is pinned to one CPU; the tests that follow are not."""
    before = os.sched_getaffinity(0)
    yield
    os.sched_setaffinity(0, before)


def until(look: Callable[[], bool]) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not look():
        assert time.monotonic() < deadline
        time.sleep(0.01)


@pytest.fixture
def addresses(tmp_path: Path) -> dict[str, Address]:
    """Nobody else's: a path for each run, a key and a port that are rarely taken."""
    number = random.randrange(1 << 20, 1 << 29) << 1
    where = echo.addresses(Address(number, tmp_path / f"t{number:x}", "127.0.0.1", 20_000 + number % 12_000))
    return {
        name: Address(a.key, a.path.with_name(f"{a.path.parent.name}-{name}"), a.host, a.port)
        for name, a in where.items()
    }


@pytest.fixture
def few(addresses: dict[str, Address], tmp_path: Path) -> dict[str, Address]:
    tmp_path.joinpath(addresses["fifo"].path.parent).mkdir(exist_ok=True)
    return {name: addresses[name] for name in TRIED}


@pytest.fixture
def responder(few: dict[str, Address]) -> Iterator[Responder]:
    """Started as its container starts it, in a child of ours; ended with it."""
    started = Responder(few, Stop())
    before = signal.getsignal(signal.SIGCHLD)
    started.start()
    until(lambda: all(attempt(mechanisms.load(name), address).success for name, address in few.items()))
    yield started
    signal.signal(signal.SIGCHLD, before)
    started.during(lambda: None)
    for name, address in few.items():
        assert not attempt(mechanisms.load(name), address).success
        assert not list(address.path.parent.glob(f"{address.path.name}*"))


def children_of(pid: int) -> list[int]:
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def test_an_echo_endpoint_that_is_killed_comes_back(responder: Responder, few: dict[str, Address]) -> None:
    for victim in children_of(responder._supervisor):
        os.kill(victim, signal.SIGKILL)
    until(lambda: all(attempt(mechanisms.load(name), address).success for name, address in few.items()))


def test_another_child_that_ends_does_not_end_the_container(responder: Responder, tmp_path: Path) -> None:
    """The responder probes too, and a failed try is made once more in a child, under a tracer."""
    tried = explained(mechanisms.load("fifo"), Address(path=tmp_path / "nobody"), given("127.0.0.1"))
    assert tried["error"] == "ENOENT"
    assert not responder._stop.requested


def test_a_supervisor_that_dies_ends_the_container(few: dict[str, Address]) -> None:
    stop = Stop()
    responder = Responder(few, stop)
    before = signal.getsignal(signal.SIGCHLD)
    try:
        responder.start()
        until(lambda: len(children_of(responder._supervisor)) == len(few))
        orphans = children_of(responder._supervisor)
        os.kill(responder._supervisor, signal.SIGKILL)
        until(lambda: stop.requested)
        assert stop.exit_code == 1
        responder.during(lambda: None)
    finally:
        signal.signal(signal.SIGCHLD, before)
        for orphan in orphans:
            os.kill(orphan, signal.SIGTERM)
    until(lambda: not any(Path(f"/proc/{orphan}").exists() for orphan in orphans))


@pytest.mark.usefixtures("responder")
def test_a_prober_exports_what_it_found(few: dict[str, Address], tmp_path: Path) -> None:
    nowhere = {"unix_stream": Address(path=tmp_path / "nobody"), **few}
    prober = Prober(Placement.SHARED_VOLUME, nowhere, given("127.0.0.1"), EndpointStatus(tmp_path / "alive"), Stop())
    assert all(sample.definition is metrics.NAMESPACE_INFO for sample in prober.samples())
    for tried in prober.round():
        prober.remember(*tried)
    seen: dict[metrics.Definition, dict[str | None, Sample]] = {}
    for sample in prober.samples():
        seen.setdefault(sample.definition, {})[sample.mechanism] = sample
    assert {name: s.value for name, s in seen[metrics.PROBE_SUCCESS].items()} == {
        "unix_stream": False,
        **dict.fromkeys(few, True),
    }
    assert {name: s.labels for name, s in seen[metrics.PROBE_ERROR].items()} == {
        "unix_stream": ("shared_volume", "ENOENT", "")
    }
    assert set(seen[metrics.PROBE_ROUND_TRIP]) == set(few)
    for name, sample in seen[metrics.PROBE_ROUND_TRIP].items():
        assert isinstance(sample.value, float)
        duration = seen[metrics.PROBE_DURATION][name].value
        assert isinstance(duration, float)
        assert 0 < sample.value < duration


def test_a_new_errno_is_traced_once_between_two_rounds(tmp_path: Path) -> None:
    nowhere = {"unix_stream": Address(path=tmp_path / "nobody")}
    prober = Prober(Placement.SHARED_VOLUME, nowhere, given("127.0.0.1"), EndpointStatus(tmp_path / "alive"), Stop())
    for tried in prober.round():
        prober.remember(*tried)
    prober._trace_one()
    (sample,) = [found for found in prober.samples() if found.definition is metrics.PROBE_ERROR]
    assert sample.labels == ("shared_volume", "ENOENT", f"connect({tmp_path / 'nobody'})")
    prober._targets = {}  # nothing to try: what is known is not traced again
    prober._trace_one()


def test_an_answer_that_is_not_the_question_is_no_success(tmp_path: Path) -> None:
    mechanism, address = mechanisms.load("unix_stream"), Address(path=tmp_path / "liar")
    answerer = request_reply.create_answerer(mechanism, address)
    liar = os.fork()
    if not liar:
        with suppress(ChannelError):
            length = answerer.receive_into(memoryview(bytearray(QUESTION_BYTES)), WITHIN_S)
            answerer.reply(memoryview(bytes(length)), WITHIN_S)
        os._exit(0)
    tried = attempt(mechanism, address, WITHIN_S)
    os.waitpid(liar, 0)
    answerer.remove()
    assert (tried.success, tried.error, tried.round_trip_s) == (False, "wrong answer", None)


@pytest.mark.parametrize("name", mechanisms.names())
def test_the_failed_system_call_is_the_kernels(name: str, addresses: dict[str, Address]) -> None:
    tried = explained(mechanisms.load(name), addresses[name], given("127.0.0.1"))
    assert tried["error"] in {"ENOENT", "ECONNREFUSED"}
    calls = tried["failed_calls"]
    assert isinstance(calls, list)
    met = [call["call"] for call in calls if call["error"] == tried["error"]]
    assert met[-1].startswith(("openat(", "connect(", "mq_open(", "shmget(", "msgget(", "sendto("))
    if name == "udp":
        return  # connect(2) has noted the address by then
    asked_for = addresses[name].path.name if "sysv" not in name else f"{addresses[name].key:#x}"
    assert (f"127.0.0.1:{addresses[name].port}" if name == "tcp" else asked_for) in met[-1]


def test_round_trips_are_of_the_last_tries_and_a_failure_begins_anew(tmp_path: Path) -> None:
    prober = Prober(Placement.SHARED_VOLUME, {}, given(""), EndpointStatus(tmp_path / "alive"), Stop())

    def shown() -> dict[tuple[str, ...], float]:
        wanted = (metrics.PROBE_ROUND_TRIP, metrics.PROBE_ROUND_TRIP_BOUND, metrics.PROBE_TRIES)
        found = (sample for sample in prober.samples() if sample.definition in wanted)
        return {(s.definition.name, *s.labels[1:]): float(s.value) for s in found if not isinstance(s.value, Histogram)}

    for number in range(40):
        prober.remember("fifo", Attempt(0.1, round_trip_s=1e-6 * number))
    last = [1e-6 * number for number in range(40 - REMEMBERED, 40)]
    assert shown() == {
        ("probe_round_trip_seconds",): statistics.median(last),
        ("probe_round_trip_bound_seconds", "lowest"): last[0],
        ("probe_round_trip_bound_seconds", "highest"): last[-1],
        ("probe_round_trip_tries",): REMEMBERED,
    }
    prober.remember("fifo", Attempt(0.1, error="ENOENT"))
    assert shown() == {}
    prober.remember("fifo", Attempt(0.1, round_trip_s=5e-6))
    assert shown()["probe_round_trip_tries",] == 1


def test_an_address_is_told_by_the_responders_page_and_kept_while_that_is_silent(tmp_path: Path) -> None:
    told = Told("127.0.0.1")
    with pytest.raises(PeerAbsent) as unknown:
        told()
    assert unknown.value.errno_name == NOT_TOLD
    prober = Prober(Placement.SAME_CONTAINER, {}, given("127.0.0.7"), EndpointStatus(tmp_path / "alive"), Stop())
    assert not dict(prober.round())
    page = Page("", Role.RESPONDER, prober.samples)
    with serving(page):
        assert told() == "127.0.0.7"
    assert told() == "127.0.0.7"


def test_mechanisms_that_need_no_address_are_tried_without_one(tmp_path: Path) -> None:
    nowhere = {name: Address(path=tmp_path / "nobody") for name in ("fifo", "tcp")}
    prober = Prober(Placement.SHARED_IPC, nowhere, Told("127.0.0.1"), EndpointStatus(tmp_path / "alive"), Stop())
    assert {name: tried.error for name, tried in prober.round()} == {"fifo": "ENOENT", "tcp": NOT_TOLD}


@contextmanager
def serving(page: Page) -> Iterator[None]:
    with closing(PageServer(metrics.PORT, page.text, "127.0.0.1")) as server:
        server.start()
        yield
