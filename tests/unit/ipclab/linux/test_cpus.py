from __future__ import annotations

import os

import pytest

from ipclab.linux import namespaces


def test_it_says_on_how_many_cpus_this_process_may_run() -> None:
    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert namespaces.allowed() == "one"
        if len(before) >= 2:
            os.sched_setaffinity(0, set(sorted(before)[:2]))
            assert namespaces.allowed() == "two"
    finally:
        os.sched_setaffinity(0, before)


@pytest.mark.parametrize(("count", "word"), [(3, "3"), (64, "64")])
def test_more_are_a_number(monkeypatch: pytest.MonkeyPatch, count: int, word: str) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(count)))
    assert namespaces.allowed() == word
