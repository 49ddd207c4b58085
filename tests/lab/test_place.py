"""A consumer that is moved to where an IPC namespace is shared and /dev/shm is not: which mechanism needs which."""

from __future__ import annotations

import pytest

from lab.harness.stack import Stack

PAIRS = ("posix_shm", "sysv_shm")  # of the lab: see conftest.py


@pytest.mark.timeout(240)
def test_the_namespace_alone_is_enough_for_system_v_and_not_for_posix_shared_memory(stack: Stack) -> None:
    moved = {"sysv_shm": "messages/s arrive", "posix_shm": "receives nothing: posix_shm needs the producer's /dev/shm"}
    before = stack.settle_all(*moved)
    try:
        for mechanism, said in moved.items():
            placed = stack.lab("place", mechanism, "ipc_namespace")
            assert placed.returncode == 0, placed.stderr
            assert said in placed.stdout
    finally:
        for mechanism in moved:
            back = stack.lab("place", mechanism, "--back")
            assert back.returncode == 0, back.stderr
    after = stack.settle_all(*moved)
    for mechanism in moved:
        assert after[mechanism]["received"] > before[mechanism]["received"]
        assert after[mechanism]["lost"] == before[mechanism]["lost"], mechanism
