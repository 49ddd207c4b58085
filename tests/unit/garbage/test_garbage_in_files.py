"""Files that hold something else than the lab wrote there: refused in one line, or taken for what they say.

Reading such a file ends in a value or in the error that its reader names, and what is read can be shown.
"""

from __future__ import annotations

import io
import json
from collections.abc import Callable, Iterable
from contextlib import redirect_stdout, suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import strategies as st

from ipclab.accounting import removed_producers
from ipclab.accounting.ledger import (
    ConsumerLedger,
    LedgerError,
    ProducerLedger,
    corrupt_in,
    producer_in,
    streams_in,
)
from ipclab.accounting.shared import Received, Snapshot
from ipclab.bench.last_bench import LastBench, fault_samples
from ipclab.kernel_exporter import exercises
from ipclab.metrics.definitions import Role, Sample
from ipclab.metrics.exposition import Page
from ipclab.runtime import reset
from ipclab.runtime.lifecycle import Stop
from ipclab.runtime.overrides import Load, load_override, lock_override
from ipclab.runtime.reset import GO, ORDER, PREPARE, Reset
from ipclab.runtime.settings import ON_OFF
from ipclab.student.child import Deaths
from labctl.config.paths import ROOT
from labctl.config.traits import traits_of
from labctl.engine import compose_override
from labctl.engine.silent_registries import SilentRegistries
from labctl.experiments.bench import comparison, document
from labctl.experiments.speedup import kept
from labctl.lab import project_lock
from labctl.workshop.exercise import board, overview, progress, publication, recording
from labctl.workshop.sheets import sheet, speed
from labctl.workshop.student import program
from support.bench_figures import CONDITIONS, a_cell, figure
from support.garbage import DEEP, Garbage, damaged_json, may_refuse, noise

BENCH = json.loads(
    json.dumps(document.document([figure(a_cell("fifo", 64), 4.0, 4.2), figure(a_cell("tcp", 1 << 20))], CONDITIONS))
)
PROGRESS = {
    "schema": progress.SCHEMA,
    "exercises": {
        "01_first": asdict(
            progress.Record(1.5, "anna", {"rate": 3, "of": "fifo"}, {"a": 2.5}, {"a": "b"}, 1, 2, True, 9.0)
        ),
        "02_second": asdict(progress.Record(2.5, "anna")),
    },
    "solved_before": {"02_second": asdict(progress.Solved(1.0, "anna"))},
    "starting": "03_third",
}
KEPT = {
    "schema": kept.SCHEMA,
    "comparisons": [asdict(kept.Kept(1.0, "fifo", 1000, 10, 2, 2, 3, 1.7, 0.9, 0.5, 0.1))],
}
EXERCISES = publication.document(
    progress.Progress(Path(), {"01_first": progress.Record(1.5, "anna", {}, {}, {}, 1, 2, True, 9.0)}, {})
)
FAULTS = {
    "cells": [
        {"fault": "cut", "mechanism": "tcp", "measured": None, "differs": False},
        {"fault": "cut", "mechanism": "udp", "measured": {"back_s": 1.5, "lost": {"channel": 3}}, "differs": True},
    ]
}
HOLDER = asdict(project_lock.Holder("up", 17, "/somewhere", "12:00:00"))


def _ledgers(folder: Path) -> tuple[bytes, bytes]:
    producer = ProducerLedger(folder / "producer")
    producer.next_sequence = 70
    consumer = ConsumerLedger(folder / "consumer")
    for identity in (5, 6):
        consumer.record_of(identity)
    return (folder / "producer").read_bytes(), (folder / "consumer").read_bytes()


def test_a_copy_of_a_ledger_is_one_or_is_refused(garbage: Garbage, tmp_path: Path) -> None:
    producer, consumer = _ledgers(tmp_path)

    def reader(content: bytes) -> None:
        for read in (producer_in, corrupt_in, streams_in):
            with suppress(LedgerError):
                read(content)

    garbage(noise(producer, consumer, consumer[:400]), reader)


def test_a_ledger_that_was_damaged_is_opened_or_refused(garbage: Garbage, tmp_path: Path, in_memory: Path) -> None:
    producer, consumer = _ledgers(tmp_path)

    def reader(content: bytes) -> None:
        for open_ledger in (ProducerLedger, ConsumerLedger):
            in_memory.unlink(missing_ok=True)  # a mapping of the last one may be open
            in_memory.write_bytes(content)
            with suppress(LedgerError):
                open_ledger(in_memory)

    garbage(noise(producer, consumer, consumer[:400]), reader)


def test_a_copy_of_received_numbers_is_one_or_is_refused(garbage: Garbage, tmp_path: Path) -> None:
    received = Received(tmp_path / "received", 5)
    for sequence in (0, 1, 7, 900):
        received.enter(sequence)
    sound = (tmp_path / "received").read_bytes()
    patches = st.lists(st.tuples(st.integers(0, 15), st.sampled_from([0, 1, 2**32, 2**62, 2**64 - 1])), max_size=4)

    def reader(damage: tuple[list[tuple[int, int]], bytes]) -> None:
        words, other = damage
        content = bytearray(sound)
        for index, value in words:
            content[8 * index : 8 * index + 8] = value.to_bytes(8, "little")
        for file in (bytes(content), other):
            with suppress(LedgerError):
                snapshot = Snapshot.of(file)
                assert snapshot is None or snapshot.count >= 0
                assert snapshot is None or snapshot.end >= 0

    garbage(st.tuples(patches, noise(sound[:200])), reader)


def test_a_list_of_removed_producers_is_one_or_is_refused(garbage: Garbage) -> None:
    def reader(content: bytes) -> None:
        with suppress(ValueError):
            removed_producers.parse(content)

    reader(DEEP)
    garbage(damaged_json({"17": [4, 5], "18": [6, 0]}), reader)


@pytest.mark.parametrize("what", ["load", "lock"])
def test_a_load_or_lock_of_garbage_is_the_default(garbage: Garbage, in_memory: Path, what: str) -> None:
    default = Load(200, 1024)
    load, lock = load_override(in_memory, default), lock_override(in_memory, default=True)

    def reader(content: bytes) -> None:
        in_memory.write_bytes(content)
        if what == "load":
            found = load.current()
            assert found is default or (type(found.rate), type(found.size_bytes), type(found.burst)) == (int, int, int)
        else:
            found_lock = lock.current()
            assert found_lock is True or content.decode().strip() in ON_OFF

    reader(DEEP)
    sound = json.loads(Load(300, 64, 2).text())
    garbage(st.one_of(damaged_json(sound), noise(b"on\n", b"off", Load(1, 64).text().encode())), reader)


@pytest.mark.parametrize(
    ("samples", "sound"),
    [(None, BENCH), (exercises.samples, EXERCISES), (fault_samples, FAULTS)],
    ids=["bench", "exercises", "faults"],
)
def test_the_page_of_the_last_bench_can_be_sent_whatever_its_files_have(
    garbage: Garbage, in_memory: Path, samples: Callable[[Any], Iterable[Sample]] | None, sound: object
) -> None:
    def reader(content: bytes) -> None:
        in_memory.write_bytes(content)
        page = Page("", Role.BENCH, LastBench(in_memory, samples).samples).text()
        page.encode()
        for line in page.split("\n"):  # alone: a label may have \x1e or \x85, which end a line for splitlines()
            if line and not line.startswith("#"):
                value = line.rpartition(" ")[2]
                assert float(value) or True
                assert len(value) < 40, "Prometheus refuses a page with a number out of range"

    reader(DEEP)
    garbage(damaged_json(sound), reader)


def test_an_earlier_bench_is_compared_with_or_is_refused(garbage: Garbage, in_memory: Path) -> None:
    def reader(content: bytes) -> None:
        in_memory.write_bytes(content)
        with may_refuse():
            earlier = document.read(in_memory, "--compare")
            assert all(line.isprintable() for line in comparison.lines(earlier, BENCH))

    reader(DEEP)
    garbage(damaged_json(BENCH), reader)


def test_a_bench_on_a_sheet_is_read_or_refused(garbage: Garbage, in_memory: Path) -> None:
    def reader(content: bytes) -> None:
        in_memory.write_bytes(content)
        with may_refuse():
            found = speed.read(in_memory)
            for language in sheet.Language:
                text = sheet.as_markdown({name: traits_of(name) for name in ("fifo", "tcp")}, language, found)
                assert text.replace("\n", "").isprintable()

    reader(DEEP)
    garbage(damaged_json(BENCH), reader)


def test_the_progress_of_a_student_is_shown_or_refused(
    garbage: Garbage, in_memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = in_memory.with_suffix(".json")
    monkeypatch.setattr(progress, "path_of", lambda _: file)

    def reader(content: bytes) -> None:
        file.write_bytes(content)
        rows, refused = board.of_this_machine()
        assert "".join([*refused, *(row.student + row.project for row in rows)]).isprintable()
        with may_refuse():
            found = progress.read(file)
            found.latest_begun()
            assert {record.state for record in found.records.values()} <= {"begun", "solved"}
            with redirect_stdout(io.StringIO()):
                overview.export(found, "project", in_memory.with_name("exported"))
            found.save()
            assert progress.read(file) == found

    reader(DEEP)
    garbage(damaged_json(PROGRESS), reader)


def test_the_exported_progress_of_a_class_is_a_row_or_a_line(garbage: Garbage, in_memory: Path) -> None:
    in_memory.write_text(json.dumps(PROGRESS))
    sound = overview.document(progress.read(in_memory), "project")
    file = in_memory.with_suffix(".json")

    def reader(content: bytes) -> None:
        file.write_bytes(content)
        rows, refused = board.of_folder(in_memory.parent)
        assert len(rows) + len(refused) == 1
        assert all(isinstance(number, int) for row in rows for number in (row.checks, row.hints, row.solutions_shown))

    reader(DEEP)
    garbage(damaged_json({**sound, "student": "anna"}), reader)


@pytest.mark.parametrize("name", ["01", "07"])
def test_a_recording_is_read_or_refused(garbage: Garbage, in_memory: Path, name: str) -> None:
    files = sorted((ROOT / "exercises").glob(f"{name}_*/**/*.json"))
    sound = [json.loads(file.read_text(encoding="utf-8")) for file in files if file.stat().st_size < 50_000]
    if not sound:
        pytest.skip("the exercise has no small recording")

    def reader(content: bytes) -> None:
        in_memory.write_bytes(content)
        with may_refuse():
            found = recording.read(in_memory)
            assert isinstance(found.started_at + found.now, int | float)

    reader(DEEP)
    garbage(damaged_json(*({**it, "answers": {}} for it in sound)), reader)


def test_the_comparisons_of_a_speedup_are_read_or_refused(
    garbage: Garbage, in_memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(kept, "path_of", lambda _: in_memory)

    def reader(content: bytes) -> None:
        in_memory.write_bytes(content)
        with may_refuse():
            for it in kept.read("project"):
                assert it.at + it.speedup + it.workers is not None
            kept.keep("project", "fifo", 1, 1, [], 1.0)

    reader(DEEP)
    garbage(damaged_json(KEPT), reader)


def test_the_holder_of_the_project_lock_is_named_or_not(garbage: Garbage, in_memory: Path) -> None:
    def reader(content: bytes) -> None:
        in_memory.write_bytes(content)
        with in_memory.open("rb") as file:
            holder = project_lock._holder(file.fileno())
        assert holder is None or str(holder).isprintable()

    reader(DEEP)
    garbage(damaged_json(HOLDER), reader)


def _silent(file: Path) -> None:
    SilentRegistries("engine", file, 1000.0).recent()


@pytest.mark.parametrize(
    ("read", "sound"),
    [
        (_silent, {"engine": {"docker.io": [990.0, "no answer"]}}),
        (compose_override.not_pulled, {"x-ipclab": {"not-pulled": {"image": "reason"}}, "services": {}}),
    ],
    ids=["silent registries", "compose override"],
)
def test_what_an_earlier_up_left_is_read_or_counts_as_nothing(
    garbage: Garbage, in_memory: Path, read: Callable[[Path], Any], sound: object
) -> None:
    def reader(content: bytes) -> None:
        in_memory.write_bytes(content)
        read(in_memory)
        in_memory.write_bytes(b"# Written by ./lab up\n" + content)
        read(in_memory)

    reader(DEEP)
    garbage(damaged_json(sound), reader)


@pytest.mark.parametrize("name", ["a.py", "a"])
def test_the_file_of_a_student_is_a_program_or_is_refused(garbage: Garbage, in_memory: Path, name: str) -> None:
    sound = sorted((ROOT / "exercises").rglob("*.py"))[:3]
    file = in_memory.with_name(name)

    def reader(content: bytes) -> None:
        file.write_bytes(content)
        with may_refuse():
            assert program.read(file).content == content

    reader(DEEP)
    garbage(noise(b"#!/bin/sh\n", b"\x7fELF", *(it.read_bytes()[:700] for it in sound)), reader)


def test_an_order_to_reset_is_read_or_is_none(garbage: Garbage, in_memory: Path) -> None:
    order = in_memory.with_name(ORDER)

    def reader(content: bytes) -> None:
        endpoint = Reset([in_memory.parent], Stop())
        order.write_bytes(content)
        word, token = endpoint._read()
        assert word or not token

    garbage(noise(reset.order(GO, "token"), reset.order(PREPARE, "token")), reader)


def test_any_file_of_deaths_says_how_many_there_were(garbage: Garbage, in_memory: Path) -> None:
    def reader(content: bytes) -> None:
        in_memory.write_bytes(content)
        deaths = Deaths(in_memory, [3, 6])
        first, second = deaths.due(9, before_ledger=False), deaths.due(9, before_ledger=True)
        assert (first, second) == ((True, False), (False, True), (False, False))[min(2, content.count(b"\n"))]

    garbage(noise(b"", b"17\n", b"17\n18\n"), reader)
