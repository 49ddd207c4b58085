"""Files that belong together."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.terminal.errors import LabError
from labctl.terminal.files import write_together


def test_files_are_there_whole_or_not_at_all(tmp_path: Path) -> None:
    write_together({"a": b"1", "b": b"2"}, tmp_path / "new" / "folder", "the report")
    assert {p.name: p.read_bytes() for p in (tmp_path / "new/folder").iterdir()} == {"a": b"1", "b": b"2"}
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(LabError, match="cannot write the report"):
        write_together({"a": b"1", "no/such/folder": b"2"}, tmp_path, "the report")
    assert {p.name for p in tmp_path.iterdir()} == {"a", "new"}, "what was begun is gone"
    assert (tmp_path / "a").read_bytes() == b"old"


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(LabError, match="cannot write the report"):
        write_together({"a": b"1"}, tmp_path / "file", "the report")
