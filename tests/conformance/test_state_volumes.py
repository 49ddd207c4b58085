"""The private volume of an endpoint is full, without inodes, read-only or another user's: one line, errno, hint."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.harness.volumes import mounted
from ipclab.accounting.ledger import LedgerError, ProducerLedger
from ipclab.contract.channel import Address

# What mount(8) is told, and the errno that the first call on such a volume gets.
VOLUMES = {
    "size=4k": "ENOSPC",
    "size=1m,nr_inodes=1": "ENOSPC",
    "ro": "EROFS",
}
NO_RETRY_HELPS = 1
USER = 10001  # of the lab's containers


def _run(role: str, address: Address, state: Path) -> subprocess.CompletedProcess[str]:
    load = ["--rate=100", "--size=100"] if role == "producer" else []
    places = [f"--path={address.path}", f"--state={state}", f"--alive={state}/alive"]
    return subprocess.run(
        [sys.executable, "-m", "ipclab", role, "fifo", *places, *load],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )


def _is_one_line(ended: subprocess.CompletedProcess[str], errno_name: str) -> bool:
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: ledger ")
    assert f"({errno_name}); hint: " in line
    return ended.returncode == NO_RETRY_HELPS


@pytest.mark.mechanisms(among=["fifo"])
@pytest.mark.parametrize("role", ["producer", "consumer"])
@pytest.mark.parametrize("options", VOLUMES)
def test_a_private_volume_that_takes_no_file_is_said_in_one_line(
    options: str, role: str, address: Address, tmp_path: Path
) -> None:
    state = tmp_path / "state"
    state.mkdir()
    with mounted(state, options):
        if options == "size=4k":
            (state / "filler").write_bytes(bytes(4096))
        assert _is_one_line(_run(role, address, state), VOLUMES[options])


@pytest.mark.mechanisms(among=["fifo"])
def test_a_private_volume_of_another_user_is_said_in_one_line(tmp_path: Path) -> None:
    """In this process: another user may not even be able to run this interpreter."""
    if os.geteuid():
        pytest.skip("needs root, to become another user")
    state = tmp_path / "state"
    state.mkdir(mode=0o700)
    os.seteuid(USER)
    try:
        with pytest.raises(LedgerError, match=r"^ledger .*: Permission denied \(EACCES\); hint: .+$"):
            ProducerLedger(state / "producer.ledger")
    finally:
        os.seteuid(0)
