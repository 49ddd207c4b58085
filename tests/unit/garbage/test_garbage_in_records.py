"""What `./lab` wrote down for a later `./lab`: on the container of a fault, for a class, in a bundle, for the pods.

Another version of the lab may have written it, or another hand. Every reader says so in one line.
"""

from __future__ import annotations

import io
import json
import os
import tarfile
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
import yaml
from docker.models.containers import Container
from hypothesis import strategies as st

from ipclab.matrix.placement import Placement
from labctl.clusters.kube import manifests, observed, pairs
from labctl.clusters.kube.containers import Manifest as PodManifest
from labctl.clusters.kube.manifests import Images, Layout, Wanted
from labctl.clusters.kube.podman import Cluster, name_of
from labctl.config.configuration import PUBLISHED_PORTS, Configuration
from labctl.faults import registry, running
from labctl.faults.container import RECORD_LABEL, Record
from labctl.lab import containers
from labctl.place import moved_consumers
from labctl.terminal.errors import LabError
from labctl.workshop.bundle import archive
from labctl.workshop.bundle.archive import BadBundle, Manifest, Source
from labctl.workshop.classroom import overview, roster
from labctl.workshop.classroom.roster import Roster
from support.garbage import DEEP, Garbage, damaged_json, in_one_line, noise


class Recorded:
    """A container of a fault as the engine tells of it."""

    name = "lab-fault"
    attrs = {"Created": "2026-11-28T10:00:00.0Z", "State": {"StartedAt": "2026-11-28T10:00:02.5Z"}}  # noqa: RUF012

    def __init__(self, record: str) -> None:
        self.labels = {RECORD_LABEL: record}


BEFORE: dict[str, dict[str, Any]] = {
    "latency": {"address": "172.20.0.3"},
    "descriptors": {"started_at": 1.5},
    "slow-consumer": {"quota": 0, "period": 100_000},
    "cut": {"network": "lab_tcp", "aliases": ["tcp-consumer"]},
    "flood": {"load": '{"rate": 5}'},
}


@pytest.mark.parametrize("name", sorted(BEFORE))
def test_the_record_of_a_fault_is_what_its_end_needs_or_is_refused(garbage: Garbage, name: str) -> None:
    fault = registry.fault(name)
    kept = {word for word, _ in fault.keeps}
    assert kept == BEFORE[name].keys()

    def reader(content: bytes) -> None:
        try:
            it = running._running(fault, cast(Container, Recorded(content.decode("utf-8", "replace"))))
        except LabError as error:
            in_one_line(error)
        else:
            assert str(it).isprintable()
            assert kept - it.before.keys() <= {"load"}
            json.dumps(it.as_json())

    reader(DEEP)
    garbage(damaged_json(asdict(Record("tcp", 50, 60.0, BEFORE[name]))), reader)


def test_every_fault_that_keeps_something_has_a_record_here() -> None:
    faults = registry.all_faults().values()
    assert {frozenset(word for word, _ in fault.keeps) for fault in faults} - {frozenset()} == {
        frozenset(before) for before in BEFORE.values()
    }


def test_the_labels_of_a_container_are_read_or_refused(garbage: Garbage) -> None:
    number, words = "com.docker.compose.container-number", st.text(max_size=8)
    numbers = st.one_of(words, st.sampled_from(["1", "2", "-1", "9" * 5000, "٣", "²"]))
    names = st.one_of(words, st.sampled_from(["tcp", "posix_mq", str(Placement.SHARED_IPC), "\x1b[2J"]))

    def reader(given: tuple[str, str, str]) -> None:
        assert 0 <= containers.number_in({number: given[0]}) < 10**10
        labels = {moved_consumers.MECHANISM_LABEL: given[1], moved_consumers.LABEL: given[2]}
        attrs = {"Labels": labels, "State": "running"}
        try:
            placed = moved_consumers._placed(cast(Container, SimpleNamespace(name="moved", attrs=attrs)))
        except LabError as error:
            in_one_line(error)
        else:
            moved_consumers.reaches(placed.mechanism, placed.placement)

    garbage(st.tuples(numbers, names, names), reader)


def test_the_file_of_a_class_is_read_or_refused(
    garbage: Garbage, in_memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(roster, "FOLDER", in_memory.parent)
    base = Configuration.load(environment={**os.environ, "COMPOSE_PROJECT_NAME": "room"})
    Roster("room", ("fifo", "tcp"), tuple(roster.with_students(Roster("room"), base, 2, "autumn", 24000))).write()
    file = in_memory.parent / "room.json"
    sound = json.loads(file.read_text(encoding="utf-8"))

    def reader(content: bytes) -> None:
        file.write_bytes(content)
        try:
            found = roster.read("room")
        except LabError as error:
            in_one_line(error)
            return
        ", ".join(found.pairs)
        for student in found.students:
            assert all(0 < student.port(name) < 65536 for name in PUBLISHED_PORTS)
            assert "".join(overview.Row(student, 0, 0, 0, None, 0, 0.0).cells()).isprintable()
            student.exports().encode()

    reader(DEEP)
    garbage(damaged_json(sound), reader)


def test_the_manifest_of_a_bundle_is_read_or_refused(garbage: Garbage, in_memory: Path, tmp_path: Path) -> None:
    manifest = Manifest(
        "amd64",
        "2026-11-28 16:00 UTC",
        "c" * 40,
        100,
        "s",
        {"engine": "28"},
        ("3.11",),
        ({"name": "lab:local", "id": "sha256:1", "own": "lab"},),
        {archive.LOCK: {"sha256": "0", "bytes": 5}, archive.IMAGES: {"sha256": "1", "bytes": 9}},
    )
    lock = tmp_path / archive.LOCK
    lock.write_bytes(b"a==1\n")

    def reader(content: bytes) -> None:
        with tarfile.open(in_memory, "w") as tar:
            for name in (archive.MANIFEST, archive.LOCK):
                head = tarfile.TarInfo(name)
                head.size = len(content)
                tar.addfile(head, io.BytesIO(content))
        try:
            found = archive.read_manifest(in_memory)
            for image in found.images:
                "".join([image["name"], image["id"], image["own"]])
            ", ".join(found.pythons)
        except BadBundle as error:
            in_one_line(error)
            return
        for check in (
            lambda: archive.require_machine(in_memory, found, "x86_64"),
            lambda: archive.require_lock(in_memory, found, lock, 50),
            lambda: archive.verify(in_memory),
        ):
            try:
                check()
            except BadBundle as error:
                in_one_line(error)

    reader(DEEP)
    garbage(damaged_json(json.loads(manifest.text())), reader)


def test_a_damaged_bundle_is_refused_or_whole(garbage: Garbage, in_memory: Path, tmp_path: Path) -> None:
    sources = []
    for name in (archive.LOCK, f"{archive.WHEELS}a.whl", archive.IMAGES):
        path = tmp_path / name.replace("/", "_")
        path.write_bytes(name.encode() * 40)
        sources.append(Source(name, path))
    bundle = tmp_path / "bundle.tar"
    archive.write(bundle, Manifest("amd64", "2026", "c", 1, "s", {}, ("3.11",), ()), sources)
    sound = bundle.read_bytes()
    end = sound.rindex(archive.IMAGES.encode() * 40) + 1024
    fields = st.sampled_from([b"\0", b"\xff", b"\x80" + b"\xff" * 11, b"9", b"-1", b"L", b"x", b"g", b"S", b"5"])
    patches = st.lists(st.tuples(st.integers(0, end), fields), max_size=3)

    def reader(damage: tuple[list[tuple[int, bytes]], bytes]) -> None:
        changes, other = damage
        content = bytearray(sound)
        for where, patch in changes:
            content[where : where + len(patch)] = patch
        for file in (bytes(content), other):
            in_memory.write_bytes(file)
            try:
                archive.verify(in_memory)
            except BadBundle as error:
                in_one_line(error)

    garbage(st.tuples(patches, noise(sound[:end], sound[:700])), reader)


def test_what_was_remembered_of_the_pods_is_read_or_refused(
    garbage: Garbage, in_memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cluster = Cluster("of-a-test")
    cluster.folder = in_memory.parent
    asked: list[str] = []
    monkeypatch.setattr(pairs, "side", lambda *_: None)
    monkeypatch.setattr(observed, "side", lambda *at: asked.append(at[2]["name"]))
    file = in_memory.parent / "manifests.yaml"

    def reader(content: bytes) -> None:
        with suppress(ValueError, TypeError):  # what is no list of documents is read as it is
            content = b"\n---\n".join(json.dumps(document).encode() for document in json.loads(content))
        file.write_bytes(content)
        try:
            pods = [manifest for manifest in cluster.played() if manifest["kind"] == "Pod"]
        except LabError as error:
            in_one_line(error)
            return
        for pod in pods:
            cluster.node_of(pod)
            assert name_of(pod)
        json.dumps([view.as_json() for view in pairs.of_cluster(cluster, pods)])
        observed.probes(cluster, pods)

    wanted = Wanted("of-a-test", ("tcp",), Layout.APART, Images("", "local"), Configuration.load(environment={}).values)
    file.write_text(yaml.safe_dump_all(manifests.of_lab(wanted)), encoding="utf-8")
    assert cluster.played() == manifests.of_lab(wanted)
    observed.probes(cluster, [pod for pod in cluster.played() if pod["kind"] == "Pod"])
    assert asked == ["probe-same-pod", "probe-same-node", "probe-other-node"]
    garbage(
        damaged_json([_pod("consumer"), _pod("producer"), {"kind": "ConfigMap", "metadata": {"name": "x"}}]), reader
    )


@pytest.mark.parametrize("where", ["pod", "container"])
def test_a_pod_or_container_without_a_name_is_refused(tmp_path: Path, where: str) -> None:
    cluster = Cluster("of-a-test")
    cluster.folder = tmp_path
    pod = _pod("consumer")
    named = pod["metadata"] if where == "pod" else pod["spec"]["containers"][0]
    named["name"] = ""
    (tmp_path / "manifests.yaml").write_text(yaml.safe_dump_all([pod]), encoding="utf-8")
    with pytest.raises(LabError, match="cannot be read: '' where no such thing belongs"):
        cluster.played()


def _pod(role: str) -> PodManifest:
    container = {"name": role, "args": [role, "tcp"], "ports": [{"containerPort": 9464}]}
    return {
        "kind": "Pod",
        "metadata": {"name": role},
        "spec": {"affinity": {"podAntiAffinity": {}}, "containers": [container]},
    }
