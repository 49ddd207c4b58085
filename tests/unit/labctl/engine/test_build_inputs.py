"""The hash that decides about a build: it changes with what goes into the image, and with nothing else."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from labctl.engine.images import source_hash

_PATTERNS = ("services/Dockerfile", "services/ipclab/**/*")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = tmp_path / "clone"
    (made / "services/ipclab/mechanisms").mkdir(parents=True)
    (made / "services/ipclab/pair").mkdir()
    (made / "services/Dockerfile").write_text("FROM base\n")
    (made / "services/ipclab/pair/consumer.py").write_text("print('consumer')\n")
    (made / "services/ipclab/mechanisms/tcp.py").write_text("print('tcp')\n")
    return made


def _hash(root: Path, base_image_id: str = "sha256:1") -> str:
    return source_hash(root, _PATTERNS, base_image_id)


def test_it_is_the_same_in_another_clone(root: Path, tmp_path: Path) -> None:
    other = shutil.copytree(root, tmp_path / "with space" / "clone")
    os.utime(other / "services/Dockerfile", (0, 0))
    assert _hash(other) == _hash(root)


def test_the_order_of_the_patterns_does_not_count(root: Path) -> None:
    assert source_hash(root, reversed(_PATTERNS), "sha256:1") == _hash(root)


@pytest.mark.parametrize("name", ["services/Dockerfile", "services/ipclab/mechanisms/tcp.py"])
def test_a_changed_file_changes_it(root: Path, name: str) -> None:
    before = _hash(root)
    (root / name).write_text("changed\n")
    assert _hash(root) != before


def test_a_new_file_changes_it_even_when_empty(root: Path) -> None:
    before = _hash(root)
    (root / "services/ipclab/udp.py").touch()
    assert _hash(root) != before


def test_a_renamed_file_changes_it(root: Path) -> None:
    before = _hash(root)
    (root / "services/ipclab/pair/consumer.py").rename(root / "services/ipclab/receiver.py")
    assert _hash(root) != before


def test_a_line_that_moves_between_neighbours_changes_it(root: Path) -> None:
    folder = root / "services/ipclab"
    (folder / "a.py").write_text("one\ntwo\n")
    (folder / "b.py").write_text("three\n")
    before = _hash(root)
    (folder / "a.py").write_text("one\n")
    (folder / "b.py").write_text("two\nthree\n")
    assert _hash(root) != before


def test_another_base_image_changes_it(root: Path) -> None:
    assert _hash(root, "sha256:2") != _hash(root)


def test_bytecode_and_files_outside_the_patterns_do_not_count(root: Path) -> None:
    before = _hash(root)
    cache = root / "services/ipclab/__pycache__"
    cache.mkdir()
    (cache / "consumer.cpython-311.pyc").write_bytes(b"\0")
    (root / "README.md").write_text("read me\n")
    assert _hash(root) == before


def test_a_clone_below_a_folder_called_pycache_is_hashed_too(root: Path, tmp_path: Path) -> None:
    other = shutil.copytree(root, tmp_path / "__pycache__" / "clone")
    assert _hash(other) == _hash(root)
