"""The stack of the tests: brought up once, taken down at the end, whatever happened."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from ipclab.pair.producer import MAX_LAG_NS
from lab.harness import browser
from lab.harness.browser import Tab
from lab.harness.stack import PART, PROJECT, Stack, wait_until
from labctl.commands.test import PARTS
from labctl.config import compose_file
from labctl.lab.containers import freeze

# These restart the lab's containers, take the lab down, or rebuild its engine's networks, so they run after all
# others, in this order.
_LAST = ("test_states.py", "test_up_again.py", "test_swarm.py", "test_lifecycle.py")
# `./lab test` runs these parts two at a time, each with a lab of its own, and "all" has all other files. Tests wait
# most of the time, and what a lab takes at rest grows with its pairs: a part of `_FEW_PAIRS` has those alone that a
# file names in PAIRS, or its parameters by `pairs`.
_REST = "all"
_PARTS = {
    "losses": (
        "test_faults.py",
        "test_kernel.py",
        "test_paused.py",
        "test_restarts.py",
        "test_soak.py",
        "test_traffic.py",
        "test_volumes.py",
    ),
    "hosts": (
        "test_cut.py",
        "test_hosts.py",
        "test_lock.py",
        "test_other_machine.py",
        "test_place.py",
        "test_scale.py",
        "test_small_labs.py",
        "test_state_files.py",
        "test_swarm.py",
        "test_two_commands.py",
    ),
    "few": (
        "test_bench.py",
        "test_bundle.py",
        "test_class.py",
        "test_kube.py",
        "test_locales.py",
        "test_page_loading.py",
        "test_registry.py",
        "test_speedup.py",
        "test_student.py",
    ),
    "exercises": ("test_exercises.py",),
}
_FEW_PAIRS = ("hosts", "few", "exercises")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep this process's part; what needs no lab comes first, what disturbs it last (sorting is stable)."""
    assert {_REST, *_PARTS} == set(PARTS), "a part that `./lab test` does not run"
    if PART:
        others = [item for item in items if _part(item.path.name) != PART]
        config.hook.pytest_deselected(items=others)
        items[:] = [item for item in items if item not in others]
    items.sort(key=_turn)


def _turn(item: pytest.Item) -> int:
    if item.path.name in _LAST:
        return _LAST.index(item.path.name) + 1
    return 0 if "stack" in getattr(item, "fixturenames", ()) else -1


def _part(file: str) -> str:
    return next((part for part, files in _PARTS.items() if file in files), _REST)


def _pairs_of(items: list[pytest.Item]) -> set[str]:
    """The pairs that tests with few of them need."""
    named = {pair for item in items for pair in getattr(getattr(item, "module", None), "PAIRS", ())}
    parameters = [value for item in items for value in getattr(getattr(item, "callspec", None), "params", {}).values()]
    return named.union(*(getattr(value, "pairs", ()) for value in parameters))


@pytest.fixture(scope="session")
def stack(request: pytest.FixtureRequest) -> Iterator[Stack]:
    """A running lab: of all pairs, or of those that this part's tests need, with the probes of the matrix."""
    assert "PYTEST_XDIST_WORKER" not in os.environ, "tests with containers share one lab: run them without -n"
    lab = Stack(PROJECT)
    pairs = sorted(_pairs_of(request.session.items)) if PART in _FEW_PAIRS else []
    lab.lab("down")  # what an interrupted run may have left; without an engine there is nothing
    up = lab.lab("up", *pairs, within_s=900)
    try:
        assert up.returncode == 0, f"./lab up failed:\n{up.stdout}\n{up.stderr}"
        if pairs:
            probes = lab.compose("up", "--detach", *compose_file.matrix_services())
            assert probes.returncode == 0, probes.stderr
        yield lab
    finally:
        lab.lab("down")


@pytest.fixture(params=compose_file.declared())
def mechanism(request: pytest.FixtureRequest, stack: Stack) -> str:
    """Every pair of the lab, moving messages."""
    name: str = request.param
    stack.wait_for_traffic(name)
    return name


@pytest.fixture(scope="session")
def address(stack: Stack) -> str:
    """Of the page that `./lab up` started."""
    return f"http://127.0.0.1:{stack.environment['LAB_PAGE_PORT']}"


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tab]:
    """One browser for all tests of a file; a start takes seconds."""
    with browser.tab(browser.install(), tmp_path_factory.mktemp("browser")) as tab:
        yield tab


@pytest.fixture(scope="session")
def after_measurements(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The lab after a bench, a fault matrix, and a producer that stood still and skipped messages."""
    producer = stack.endpoint("fifo", "producer")
    freeze(producer)
    stood = time.monotonic() + 2 * MAX_LAG_NS / 1e9
    wait_until("the producer stood still", 10, lambda: time.monotonic() > stood)
    producer.unpause()
    wait_until("messages are skipped", 10, lambda: stack.total("fifo-producer", "ipc_messages_skipped_total"))
    bench = stack.lab("bench", "--quick", "--output", str(tmp_path_factory.mktemp("bench")))
    assert bench.returncode == 0, bench.stderr
    matrix = stack.lab("fault", "matrix", "pause-producer", "--quick")
    assert matrix.returncode == 0, matrix.stderr
    return stack


@pytest.fixture(scope="module")
def eventful(after_measurements: Stack) -> Iterator[Stack]:
    """The same with a fault on: every panel of every dashboard has something to show."""
    started = after_measurements.lab("fault", "start", "dev-shm-full", "--for", "30m")
    assert started.returncode == 0, started.stderr
    yield after_measurements
    assert after_measurements.lab("fault", "stop").returncode == 0
