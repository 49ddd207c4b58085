from __future__ import annotations

from pathlib import Path

import pytest

from ipclab.runtime.overrides import lock_override


@pytest.mark.parametrize("default", [True, False])
def test_without_a_file_it_is_the_environments(tmp_path: Path, default: bool) -> None:
    assert lock_override(tmp_path / "race-lock", default=default).current() is default


@pytest.mark.parametrize("lock", [True, False])
def test_what_is_written_overrides_in_another_process_too_and_reset_goes_back(tmp_path: Path, lock: bool) -> None:
    running = lock_override(tmp_path / "race-lock", default=not lock)
    command = lock_override(tmp_path / "race-lock", default=True)
    command.write(lock)
    assert running.current() is lock
    assert [path.name for path in tmp_path.iterdir()] == ["race-lock"]
    command.reset()
    command.reset()
    assert running.current() is not lock


@pytest.mark.parametrize("content", [b"", b"maybe", b"ON", b"\xff\xfe", b"on off"])
def test_garbage_is_named_in_the_log_once_and_counts_as_absent(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    path = tmp_path / "race-lock"
    path.write_bytes(content)
    file = lock_override(path, default=True)
    assert file.current() is file.current() is True
    (record,) = caplog.records
    assert record.getMessage().startswith(f"{path} holds no switch (")
    path.write_text("off\n")
    assert file.current() is False
