"""What cannot be mapped shared is an error with its errno and a hint, not a bare OSError."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

import pytest

from ipclab.building_blocks.kernel_objects import map_shared, map_whole
from ipclab.contract.errors import AccessRefused, Unusable

_SIZE = 4096


def test_a_filesystem_without_shared_mappings() -> None:
    """The kernel answers for /dev/null as it does for a file of 9p or of some FUSE."""
    descriptor = os.open("/dev/null", os.O_RDWR)
    try:
        with pytest.raises(Unusable) as refused:
            map_shared("file x", descriptor, _SIZE)
    finally:
        os.close(descriptor)
    assert refused.value.errno_name == "ENODEV"
    assert "file x cannot be mapped shared" in str(refused.value)
    assert "hint: its filesystem has no shared mappings" in refused.value.explained()


def test_a_file_that_may_not_be_mapped_for_writing() -> None:
    descriptor = os.memfd_create("sealed", os.MFD_ALLOW_SEALING)
    try:
        os.ftruncate(descriptor, _SIZE)
        fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_WRITE)
        with pytest.raises(AccessRefused, match=r"EPERM"):
            map_whole("file x", descriptor, _SIZE)
    finally:
        os.close(descriptor)


def test_the_same_user_may_be_refused_by_selinux() -> None:
    assert "SELinux" in AccessRefused("queue", code=13).explained()


def test_a_file_is_mapped(tmp_path: Path) -> None:
    descriptor = os.open(tmp_path / "file", os.O_RDWR | os.O_CREAT)
    try:
        mapping = map_whole("file x", descriptor, _SIZE)
    finally:
        os.close(descriptor)
    mapping[:2] = b"ok"
    mapping.close()
    assert (tmp_path / "file").read_bytes()[:2] == b"ok"
