"""A bundle that is damaged, truncated, of another machine or another clone is one line and changes nothing."""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from labctl.workshop.bundle import archive
from labctl.workshop.bundle.archive import BadBundle, Manifest, Source

_HERE = "amd64"


def made(folder: Path, *, architecture: str = _HERE, lock: bytes = b"a==1\n", commit_at: int = 100) -> Path:
    """A small bundle, with a wheel and an archive of images that are none."""
    contents = {archive.LOCK: lock, archive.IMAGES: b"i" * 300_000, f"{archive.WHEELS}a-1-py3-none-any.whl": b"wheel"}
    sources = []
    for name, content in contents.items():
        path = folder / name.replace("/", "_")
        path.write_bytes(content)
        sources.append(Source(name, path))
    image = {"name": "x", "id": "sha256:1", "own": ""}
    manifest = Manifest(architecture, "2026-11-28 16:00 UTC", "c" * 40, commit_at, "s", {}, ("3.11",), (image,))
    target = folder / "bundle.tar"
    archive.write(target, manifest, sources)
    return target


def clone(folder: Path, lock: bytes = b"a==1\n") -> Path:
    """A folder with a lock and a bundle of before."""
    root = folder / "clone"
    (root / ".bundle").mkdir(parents=True)
    (root / ".bundle/before.whl").write_bytes(b"before")
    (root / archive.LOCK).write_bytes(lock)
    return root


def run(bundle: Path, root: Path) -> subprocess.CompletedProcess[str]:
    """What `./lab` does before there is a .venv: a bare Python."""
    command = [sys.executable, "-I", str(archive.__file__), str(bundle), str(root)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def unchanged(root: Path) -> bool:
    """Whether the wheels of before, and nothing else, are there."""
    return [path.name for path in (root / ".bundle").iterdir()] == ["before.whl"] and not list(root.glob(".bundle.*"))


def test_a_whole_bundle_is_verified_and_unpacked(tmp_path: Path) -> None:
    bundle, root = made(tmp_path), clone(tmp_path)
    manifest = archive.verify(bundle)
    assert archive.read_manifest(bundle) == manifest
    done = run(bundle, root)
    assert (done.returncode, done.stderr) == (0, "")
    assert sorted(path.name for path in (root / ".bundle").iterdir()) == ["a-1-py3-none-any.whl", archive.LOCK]
    with archive.member(bundle, archive.IMAGES) as content:
        assert len(content.read()) == 300_000


@pytest.mark.parametrize("kept", [0, 100, 512, 3_000, 200_000, 290_000])
def test_a_truncated_bundle_changes_nothing(tmp_path: Path, kept: int) -> None:
    bundle, root = made(tmp_path), clone(tmp_path)
    bundle.write_bytes(bundle.read_bytes()[:kept])
    done = run(bundle, root)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1, done.stderr
    assert "truncated" in done.stderr or "damaged" in done.stderr or "no bundle" in done.stderr
    assert "(hint: " in done.stderr
    assert unchanged(root)


def test_one_wrong_byte_anywhere_is_found(tmp_path: Path) -> None:
    root = clone(tmp_path)
    whole = made(tmp_path).read_bytes()
    for at in range(700, 300_000, 23_456):
        bundle = tmp_path / "bundle.tar"
        bundle.write_bytes(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :])
        done = run(bundle, root)
        assert done.returncode == 2, at
        assert done.stderr.count("\n") == 1, done.stderr
        assert unchanged(root)


@pytest.mark.parametrize("content", [b"", b"no tar at all" * 100, b"\0" * 20_000])
def test_another_file_is_no_bundle(tmp_path: Path, content: bytes) -> None:
    root = clone(tmp_path)
    (tmp_path / "other.tar").write_bytes(content)
    done = run(tmp_path / "other.tar", root)
    assert (done.returncode, "is no bundle of the lab" in done.stderr) == (2, True), done.stderr
    assert unchanged(root)


def test_another_tar_is_no_bundle(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "other.tar", "w") as tar:
        tar.addfile(tarfile.TarInfo("something"), io.BytesIO())
    with pytest.raises(BadBundle, match="is no bundle of the lab"):
        archive.verify(tmp_path / "other.tar")


def test_what_is_not_in_the_list_is_refused(tmp_path: Path) -> None:
    bundle = made(tmp_path)
    with tarfile.open(bundle, "a") as tar:
        tar.addfile(tarfile.TarInfo("wheels/../../evil.whl"), io.BytesIO())
    with pytest.raises(BadBundle, match="is not in its list"):
        archive.verify(bundle)


def test_another_architecture_is_refused(tmp_path: Path) -> None:
    bundle = made(tmp_path, architecture="arm64")
    with pytest.raises(BadBundle, match="is for arm64, and this is amd64"):
        archive.require_machine(bundle, archive.read_manifest(bundle), "x86_64")
    archive.require_machine(bundle, archive.read_manifest(bundle), "aarch64")


@pytest.mark.parametrize(("commit_at", "word"), [(200, "is older than"), (50, "is newer than"), (0, "another version")])
def test_a_clone_of_another_lock_refuses_it_and_says_which_is_older(tmp_path: Path, commit_at: int, word: str) -> None:
    bundle, root = made(tmp_path), clone(tmp_path, b"a==2\n")
    with pytest.raises(BadBundle, match=word) as refused:
        archive.require_lock(bundle, archive.read_manifest(bundle), root / archive.LOCK, commit_at)
    assert "git checkout cccccccccccc" in refused.value.hint
    done = run(bundle, root)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert unchanged(root)


def test_a_form_of_another_version_is_named(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "new.tar", "w") as tar:
        text = b'{"schema": "ipc-lab-bundle/9"}'
        member = tarfile.TarInfo(archive.MANIFEST)
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    with pytest.raises(BadBundle, match="has the form ipc-lab-bundle/9, and this clone reads"):
        archive.verify(tmp_path / "new.tar")


def test_a_bundle_that_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    made(tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    manifest = archive.read_manifest(tmp_path / "bundle.tar")
    with pytest.raises(FileNotFoundError):
        archive.write(tmp_path / "second.tar", manifest, [Source("gone", tmp_path / "gone")])
    assert sorted(path.name for path in tmp_path.iterdir()) == before
