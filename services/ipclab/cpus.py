"""On how many CPUs this process may run. A wake-up across two CPUs costs many times one on the same."""

from __future__ import annotations

import os

_WORDS = {1: "one", 2: "two"}


def allowed() -> str:
    """How many CPUs this process may use (sched_getaffinity(2), a container's `cpuset`): "one", "two", "3", …"""
    count = len(os.sched_getaffinity(0))
    return _WORDS.get(count, str(count))
