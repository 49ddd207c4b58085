"""A second Docker Engine: what crosses to it is what needs a network alone, and it leaves nothing."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ipclab import registry
from ipclab.channel import Sharing
from lab.stack import Stack


@pytest.mark.timeout(300)
def test_a_second_host_is_reached_by_the_network_mechanisms_alone(stack: Stack) -> None:
    before = set(stack.leftovers())
    up = stack.lab("hosts", "up", within_s=200)
    try:
        assert up.returncode == 0, up.stderr
        shown = stack.lab("matrix", "--json")
        assert shown.returncode == 0, shown.stderr
        cells = {c["mechanism"]: c for c in json.loads(shown.stdout)["cells"] if c["placement"] == "second_host"}
        assert set(cells) == set(registry.names())
        for name, cell in cells.items():
            remote = registry.load(name).traits.requires == {Sharing.NETWORK}
            assert (cell["success"], cell["error"]) == ((True, None) if remote else (False, "ENOENT")), name
        evidence = stack.lab("matrix", "--explain", "sysv_shm", "second_host")
        assert "shmget(key 0x" in evidence.stdout
        assert "= -1 ENOENT" in evidence.stdout
    finally:
        down = stack.lab("hosts", "down")
    assert down.returncode == 0, down.stderr
    assert set(stack.leftovers()) == before
    assert not list(Path("/sys/fs/cgroup").glob("*/ipclab-second-host-*"))
