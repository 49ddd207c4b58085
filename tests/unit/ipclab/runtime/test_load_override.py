from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest

from ipclab.runtime.overrides import Load, Override, load_override

DEFAULT = Load(200, 1024)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "load.json"


def written_at(path: Path, file: Override[Load], load: Load, second: int) -> None:
    """Write, and give the file a time of its own: two writes can fall into one tick of the kernel's clock."""
    file.write(load)
    os.utime(path, (second, second))


def test_without_a_file_the_load_is_the_environments(path: Path) -> None:
    file = load_override(path, DEFAULT)
    assert file.current() == DEFAULT
    assert not file.changed()


def test_a_write_is_seen_by_another_process_once(path: Path) -> None:
    producer = load_override(path, DEFAULT)
    load_override(path, DEFAULT).write(Load(2000, 4096, 50))
    assert producer.changed()
    assert producer.current() == Load(2000, 4096, 50)
    assert not producer.changed()


def test_every_change_is_seen(path: Path) -> None:
    producer, command = load_override(path, DEFAULT), load_override(path, DEFAULT)
    for second, rate in enumerate([5, 6, 6, 7], start=1000):
        written_at(path, command, Load(rate, 64), second)
        assert producer.changed()
        assert producer.current().rate == rate
        assert not producer.changed()


def test_two_writes_in_one_tick_of_the_kernels_clock_are_two_changes(path: Path) -> None:
    producer, command = load_override(path, DEFAULT), load_override(path, DEFAULT)
    for rate in (5, 6, 7):
        written_at(path, command, Load(rate, 64), 1000)
        assert producer.changed()
        assert producer.current().rate == rate
        assert not producer.changed()


def test_an_edit_in_place_is_a_change(path: Path) -> None:
    producer = load_override(path, DEFAULT)
    for second, rate in enumerate((5, 6), start=1000):
        path.write_text(json.dumps({"rate": rate, "size_bytes": 64}))
        os.utime(path, (second, second))
        assert producer.changed()
        assert producer.current() == Load(rate, 64)
        assert not producer.changed()


def test_reset_goes_back_to_the_environment(path: Path) -> None:
    producer, command = load_override(path, DEFAULT), load_override(path, Load(1, 64))
    command.write(Load(5, 64))
    assert producer.changed()
    command.reset()
    assert producer.changed()
    assert producer.current() == DEFAULT
    assert not producer.changed()
    command.reset()  # again is no error
    assert not producer.changed()


def test_the_override_survives_a_restart(path: Path) -> None:
    load_override(path, DEFAULT).write(Load(5, 64))
    assert load_override(path, DEFAULT).current() == Load(5, 64)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"\xff\xfe",
        b"{",
        b"null",
        b"[]",
        b'{"rate": 5}',
        b'{"size_bytes": 64}',
        b'{"rate": null, "size_bytes": 64}',
        b'{"rate": [5], "size_bytes": 64}',
        b'{"rate": "many", "size_bytes": 64}',
        b'{"rate": 0, "size_bytes": 64}',
        b'{"rate": 1000001, "size_bytes": 64}',
        b'{"rate": 5, "size_bytes": 63}',
        b'{"rate": 5, "size_bytes": 1048577}',
        b'{"rate": 5000, "size_bytes": 64, "burst": 0}',
        b'{"rate": 5000, "size_bytes": 64, "burst": 1001}',
        b'{"rate": 5, "size_bytes": 64, "burst": 6}',
    ],
)
def test_garbage_is_named_in_the_log_and_counts_as_absent(
    path: Path, caplog: pytest.LogCaptureFixture, content: bytes
) -> None:
    path.write_bytes(content)
    file = load_override(path, DEFAULT)
    assert file.current() == DEFAULT
    (record,) = caplog.records
    assert record.levelname == "WARNING"
    assert record.getMessage().startswith(f"{path} holds no load (")
    file.write(Load(5, 64))
    assert file.current() == Load(5, 64)
    assert len(caplog.records) == 1


def test_the_file_is_replaced_in_one_step(path: Path) -> None:
    """A reader that had the old file open still has all of it, and no other file is left behind."""
    file = load_override(path, DEFAULT)
    file.write(Load(1, 64))
    with path.open() as old:
        file.write(Load(1_000_000, 1 << 20))
        assert json.load(old) == {"rate": 1, "size_bytes": 64, "burst": 1}
    assert json.loads(path.read_text()) == {"rate": 1_000_000, "size_bytes": 1 << 20, "burst": 1}
    assert [p.name for p in path.parent.iterdir()] == ["load.json"]


def test_a_reader_never_sees_half_a_write(path: Path) -> None:
    loads = [Load(1, 64), Load(1_000_000, 1 << 20)]
    writer_file, reader_file, done = load_override(path, DEFAULT), load_override(path, loads[0]), threading.Event()

    def write() -> None:
        for turn in range(1000):
            writer_file.write(loads[turn % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    seen = {reader_file.current()}
    while not done.is_set():
        seen.add(reader_file.current())
    writer.join()
    assert seen <= set(loads)


def test_a_disk_that_takes_no_more_leaves_the_load_as_it_is(path: Path) -> None:
    file = load_override(path, DEFAULT)
    file.write(Load(5, 64))
    path.with_name("load.json.new").mkdir()  # the spare file cannot be written
    with pytest.raises(OSError, match="Is a directory"):
        file.write(Load(6, 64))
    assert file.current() == Load(5, 64)
