from __future__ import annotations

import re
import resource
from collections.abc import Callable, Iterable
from functools import partial
from itertools import chain
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from ipclab import mechanisms
from ipclab.accounting.checker import Checker
from ipclab.accounting.ledger import ConsumerLedger, ProducerLedger, Stream
from ipclab.bench import last_bench
from ipclab.contract.channel import Address, Switch
from ipclab.contract.optional_parts import shares_words
from ipclab.kernel_exporter import exercises, exporter, posix, sysv
from ipclab.kernel_exporter.owners import EchoOwners, Owners
from ipclab.linux.scheduling import Scheduling
from ipclab.matrix.placement import Placement
from ipclab.matrix.probe import Attempt, Prober
from ipclab.matrix.told_address import given
from ipclab.mechanisms.sysv_mq import SysvMq
from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import DEFINITIONS, Definition, Role, Sample, Type
from ipclab.metrics.exposition import Page
from ipclab.metrics.histogram import Histogram
from ipclab.pair.consumer import Consumer
from ipclab.pair.producer import Producer
from ipclab.pair.race import Side, Tally
from ipclab.pair.racer import Racer, Rounds
from ipclab.runtime.container_facts import PLACEMENT, ContainerFacts
from ipclab.runtime.fixed_cost import FixedCost
from ipclab.runtime.lifecycle import EndpointStatus, Stop
from ipclab.runtime.overrides import Load, load_override
from support.pages import value_on
from support.scripted import ADDRESS, Channel, Clock

GOLDEN = Path(__file__).parents[2] / "golden" / "metrics.prom"


def fixed_status(directory: Path) -> EndpointStatus:
    status = EndpointStatus(directory / "alive", switches={Switch.APPEND_LOCK: True})
    status._usage = resource.struct_rusage((12.5, 3.25, *range(2, 14), 4000, 50))
    status._first_usage = resource.struct_rusage((0.0, 0.0, *range(2, 14), 0, 0))
    status._schedule, status._first_schedule = Scheduling(1_500_000_000, 4050), Scheduling(0, 0)
    status._namespaces = ("c0ffee123456", "4026532001", "4026532002", "4026532003", "4026532004")
    return status


def a_producer(directory: Path) -> Producer:
    ledger = ProducerLedger(directory / "producer.ledger")
    ledger.next_sequence = 123_456_789
    ledger.skipped = 42
    channel = Channel(Clock(), Stop())
    load = load_override(directory / "load.json", Load(200, 1024))
    producer = Producer(channel, ADDRESS, ledger, load, fixed_status(directory), channel.stop)
    producer._errors["EPIPE"] = 7
    producer._late.record(20_000)
    producer._send.record(9_000)
    producer._kernel._held = (4096, 65_536)
    return producer


def a_consumer(directory: Path) -> Consumer:
    ledger = ConsumerLedger(directory / "consumer.ledger")
    ledger.record_of(11).write(Stream(1, 1000, 1, 20, 30, 40, 50, 60))
    ledger.record_of(12).write(Stream(1, 2000, 0, 1, 2, 3, 4, 5))
    ledger.corrupt = 6
    channel = Channel(Clock(), Stop())
    status = fixed_status(directory)
    status.opened()
    consumer = Consumer(channel, ADDRESS, Checker(ledger, ordered=True), status, channel.stop)
    for nanoseconds in (3, 900, 1024, 50_000, 50_001, 1_000_000_000, 200_000_000_000):
        consumer._latency.record(nanoseconds)
    consumer._transit.record(50_000)
    consumer._check.record(4_000)
    consumer._bytes = 1_048_576
    consumer._kernel._dropped = 70
    consumer._mechanism = SysvMq(2)
    consumer._mechanism.received_by_class.update({1: 1500, 2: 1400})
    consumer._kernel._held = (4096, 65_536)
    return consumer


def kernel_samples(status: EndpointStatus) -> Iterable[Sample]:
    """One object of each kind; what is not told of it is left out."""
    objects = exporter.KernelObjects(
        segments=[sysv.Segment(1229996033, 7, 10001, 2_097_424, 2)],
        sysv_queues=[
            sysv.Queue(1229996049, 8, 10001, 3, 3072, 16_384),
            sysv.Queue(-2, 9, 0, 0, 0, None),
            sysv.Queue(1229996065, 11, 10001, 0, 0, 16_384),
        ],
        semaphore_sets=[sysv.SemaphoreSet(1229996034, 10, 10001, 1, 5)],
        shared_objects=[posix.SharedObject("/ipclab-ring", 10001, 4096)],
        posix_queues=[posix.Queue("/ipclab-queue", 10001, 2048, 2, 10)],
        semaphores=[posix.Semaphore("/ipclab-ring.room", 10001, 1)],
        space=posix.Space(8192, 67_108_864),
        limits={"msgmnb": 16_384},
    )
    owners = Owners({"sysv_shm": 1229996033, "sysv_mq": 1229996049}, {"posix_shm": "ring", "posix_mq": "queue"})
    yield from status.namespace_samples()
    yield from exporter.samples(objects, owners, EchoOwners.of_responder(Address(key=1229996065)), {})


def a_racer(side: Side) -> Racer:
    mechanism = mechanisms.load("plain_file")
    assert shares_words(mechanism)
    racer = Racer(mechanism, ADDRESS, side, lambda: False, Rounds())
    racer.tally.tallies = {True: Tally(1000, 0, 500, 0), False: Tally(2000, 700, 900, 80)}
    return racer


def both(*parts: Callable[[], Iterable[Sample]]) -> Callable[[], Iterable[Sample]]:
    """What a page shows that several make."""
    return lambda: chain.from_iterable(part() for part in parts)


def a_prober(directory: Path, placement: Placement) -> Prober:
    """One mechanism was reached, one was not."""
    prober = Prober(placement, {}, given("172.18.0.3"), fixed_status(directory), Stop())
    assert not dict(prober.round())
    for name, tried in {
        "fifo": Attempt(0.0042, 0.000052),
        "sysv_shm": Attempt(0.00031, error="ENOENT", text="…"),
    }.items():
        prober.remember(name, tried)
    return prober


def a_bench() -> dict[str, object]:
    """One cell that was measured, and one that cannot be."""
    cell = {
        "implementation": "python",
        "mechanism": "posix_shm",
        "size_bytes": 64,
        "shape": "one-way",
        "wait": "block",
        "cpus": "one",
        "copies": False,
        "touched": True,
        "limit": False,
        "why_not": "",
        "us": 1.5,
        "p50_us": 1.25,
        "p99_us": 9.0,
        "p999_us": None,
        "messages_per_s": 666_666.0,
        "bytes_per_s": 42_666_624.0,
        "cpu_us": 1.75,
        "voluntary": 0.5,
        "involuntary": 0.25,
        "noisy": True,
    }
    return {"at_unix_s": 1_790_000_000.0, "cells": [cell, {"why_not": "not possible: limit 8,192 B"}]}


def a_progress() -> dict[str, object]:
    """One exercise that was judged."""
    record = {
        "state": "begun",
        "outcome": "not yet",
        "saw": 'fifo receives "200" messages',
        "waits_for": "no message",
        "language": "en",
        "checks": 2,
        "hints": 1,
        "solution_shown": False,
        "started_at": 1_790_000_000.0,
        "checked_at": 1_790_000_060.0,
    }
    return {"exercises": {"09_named_pipe": record}}


def fixed_cost(directory: Path, role: Role) -> Iterable[Sample]:
    """Of numbers that do not change."""
    cost = FixedCost(lambda: 1_500_000, has_messages=role in (Role.PRODUCER, Role.CONSUMER), cgroup=directory)
    cost._first = (0, 0, 0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cost, "_read", lambda: (2_000_000, 4_000_000, 9_000_000))
        return [] if role is Role.BENCH else list(cost.samples())


def container_facts(directory: Path, role: Role) -> Iterable[Sample]:
    """Of a container whose kernel and clock say what does not change."""
    (directory / "memory.current").write_text("15000000")
    (directory / "memory.stat").write_text("anon 9000000\ninactive_file 5000000\n")
    (directory / "memory.max").write_text("100663296")
    (descriptors := directory / "fd").mkdir(exist_ok=True)
    for number in range(8):  # the last one is that of the listing
        (descriptors / str(number)).touch()
    placement = {PLACEMENT: "second_host"} if role is Role.CONSUMER else {}
    facts = ContainerFacts(placement, cgroup=directory, descriptors=descriptors)
    facts._started_at = 1_790_000_000.25
    return [] if role is Role.BENCH else list(facts.samples())


def a_last_bench() -> Iterable[Sample]:
    """The last bench, and the last fault matrix."""
    measured = {"back_s": 1.5, "lost": {"channel": 38}}
    matrix = {"cells": [{"fault": "cut", "mechanism": "tcp", "measured": measured, "differs": []}]}
    return [*last_bench.samples(a_bench()), *last_bench.fault_samples(matrix)]


def a_fault(directory: Path) -> Iterable[Sample]:
    """A fault that is on."""
    return [Sample(metrics.FAULT_ACTIVE, 1, ("cut",)), *fixed_status(directory).namespace_samples()]


def pages(directory: Path) -> dict[Role, str]:
    """The page of each role, made by the loops themselves from fixed numbers."""
    samples: dict[Role, tuple[str, Callable[[], Iterable[Sample]]]] = {
        Role.PRODUCER: ("fifo", both(a_producer(directory).samples, a_racer(Side.PRODUCER).samples)),
        Role.CONSUMER: ("fifo", both(a_consumer(directory).samples, a_racer(Side.CONSUMER).samples)),
        Role.HOLDER: ("", fixed_status(directory).namespace_samples),
        Role.KERNEL: ("", lambda: kernel_samples(fixed_status(directory))),
        Role.RESPONDER: ("", a_prober(directory, Placement.SAME_CONTAINER).samples),
        Role.PROBE: ("", a_prober(directory, Placement.SHARED_VOLUME).samples),
        Role.BENCH: ("", both(a_last_bench, lambda: exercises.samples(a_progress()))),
        Role.FAULT: ("tcp", lambda: a_fault(directory)),
    }
    return {
        role: Page(
            mechanism, role, both(make, partial(fixed_cost, directory, role), partial(container_facts, directory, role))
        ).text()
        for role, (mechanism, make) in samples.items()
    }


def test_the_pages_are_those_of_the_golden_file(tmp_path: Path, update_golden: bool) -> None:
    """After a wanted change: `pytest --update-golden`, and look at the difference."""
    text = "".join(f"# === {role} ===\n{page}" for role, page in pages(tmp_path).items())
    if update_golden:
        GOLDEN.write_text(text)
    assert text == GOLDEN.read_text()


def test_every_metric_is_on_a_page_of_each_of_its_roles_and_on_no_other(tmp_path: Path) -> None:
    for role, page in pages(tmp_path).items():
        families = {family.name: family for family in text_string_to_metric_families(page)}
        assert set(families) == {d.name for d in DEFINITIONS if role in d.roles}
        for definition in DEFINITIONS:
            if role not in definition.roles:
                continue
            family = families[definition.name]
            assert family.type == definition.type
            assert family.documentation == definition.help
            assert {s.name for s in family.samples} == set(definition.series)
            for sample in family.samples:
                assert set(sample.labels) - {"le"} == set(definition.labels)
                assert sample.labels["role"] == role


def test_a_page_says_no_series_twice(tmp_path: Path) -> None:
    for page in pages(tmp_path).values():
        series = [line.rpartition(" ")[0] for line in page.splitlines() if not line.startswith("#")]
        assert len(series) == len(set(series))


def test_every_definition_of_the_module_is_listed_once() -> None:
    defined = [value for value in vars(metrics).values() if isinstance(value, Definition)]
    assert list(DEFINITIONS) == defined
    names = [series for definition in DEFINITIONS for series in definition.series]
    assert len(names) == len(set(names))


@pytest.mark.parametrize("definition", DEFINITIONS, ids=lambda d: d.name)
class TestDefinition:
    def test_its_help_is_a_sentence(self, definition: Definition) -> None:
        assert re.fullmatch(r"[A-Z0-9][^\n]{15,120}\.", definition.help)

    def test_its_name_follows_the_conventions(self, definition: Definition) -> None:
        # `probe_…` are the words of the blackbox exporter.
        assert re.fullmatch(r"(ipc|probe)(_[a-z0-9]+)+", definition.name)
        for series in definition.series:
            assert series.endswith("_total") == (definition.type is Type.COUNTER)

    def test_its_unit_is_a_base_unit_and_the_suffix(self, definition: Definition) -> None:
        words = definition.name.split("_")
        assert not {"ms", "us", "ns", "milliseconds", "kilobytes", "kib", "percent", "minutes"} & set(words)
        if {"latency", "duration", "cpu"} & set(words):
            assert words[-1] == "seconds"
        if "size" in words:
            assert words[-1] == "bytes"
        if definition.type is Type.HISTOGRAM:
            assert words[-1] in ("seconds", "bytes")

    def test_its_labels_tell_the_endpoints_apart(self, definition: Definition) -> None:
        assert definition.labels[:2] == ("mechanism", "role")
        assert len(set(definition.labels)) == len(definition.labels)
        assert all(re.fullmatch("[a-z]+", label) and label not in ("le", "job") for label in definition.labels)
        assert definition.roles


def test_the_numbers_are_read_when_the_page_is_asked_for() -> None:
    sent = 0
    page = Page("tcp", Role.PRODUCER, lambda: [Sample(metrics.SENT, sent)])
    for sent in (0, 1, 2**53):
        assert value_on(page, "ipc_messages_sent_total", {"mechanism": "tcp", "role": "producer"}) == sent


def test_a_label_may_have_any_character() -> None:
    strange = 'a "quoted" back\\slash,\nand a line}'
    page = Page("tcp", Role.PRODUCER, lambda: [Sample(metrics.SEND_ERRORS, 3, (strange,))])
    labels = {"mechanism": "tcp", "role": "producer", "errno": strange}
    assert value_on(page, "ipc_send_errors_total", labels) == 3


def test_a_series_that_is_gone_is_on_no_page_and_one_that_comes_back_is() -> None:
    shown = ["EPIPE"]
    page = Page("tcp", Role.PRODUCER, lambda: [Sample(metrics.SEND_ERRORS, 1, (errno,)) for errno in shown])
    for errnos in (["EPIPE"], ["EAGAIN", "EPIPE"], [], ["EPIPE"]):
        shown[:] = errnos
        lines = [line for line in page.text().splitlines() if not line.startswith("#")]
        assert [line.split('errno="')[1].split('"')[0] for line in lines] == errnos


@pytest.mark.parametrize(
    "sample",
    [Sample(metrics.SENT, Histogram()), Sample(metrics.LATENCY, 1.0), Sample(metrics.LOAD_RATE, Histogram())],
)
def test_a_value_of_another_type_is_refused(sample: Sample) -> None:
    page = Page("tcp", Role.CONSUMER, lambda: [sample])
    with pytest.raises(TypeError, match=f"{sample.definition.name} is a .* and takes no"):
        page.text()


def test_histogram_buckets_are_as_prometheus_wants_them(tmp_path: Path) -> None:
    (family,) = [
        f for f in text_string_to_metric_families(pages(tmp_path)[Role.CONSUMER]) if f.name == metrics.LATENCY.name
    ]
    buckets = [(float(s.labels["le"]), s.value) for s in family.samples if s.name.endswith("_bucket")]
    assert buckets == sorted(buckets)
    assert [count for _, count in buckets] == sorted(count for _, count in buckets)
    (count,) = [s.value for s in family.samples if s.name.endswith("_count")]
    assert buckets[-1] == (float("inf"), count)
    assert count == 7
