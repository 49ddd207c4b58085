"""Traits are facts, and every fact says where it is written, and whose it is."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import fields
from typing import Any

import pytest

from ipclab import mechanisms
from ipclab.contract.channel import Communication, Direction, Fact, Kind, Traits, Whose

FACTS = {field.name for field in fields(Traits)} - {"man_page", "switches"}
_SOURCE = re.compile(r"[\w.-]+\([1-8]\)|ipclab\.\w+")


@pytest.mark.parametrize("name", mechanisms.names())
def test_every_fact_has_a_source(name: str) -> None:
    traits = mechanisms.load(name).traits
    assert set(traits.facts()) == FACTS
    for source in (traits.man_page, *(fact.source for fact in traits.facts().values())):
        assert _SOURCE.match(source), source


@pytest.mark.parametrize("name", mechanisms.names())
def test_a_module_of_ours_that_is_a_source_exists(name: str) -> None:
    for fact in mechanisms.load(name).traits.facts().values():
        for module in re.findall(r"ipclab\.[\w.]*\w", fact.source):
            assert importlib.util.find_spec(module), fact.source


@pytest.mark.parametrize("name", mechanisms.names())
def test_a_fact_that_the_lab_decides_says_what_the_kernel_alone_gives(name: str) -> None:
    for field, fact in mechanisms.load(name).traits.facts().items():
        assert (fact.of is Whose.LAB) == ("ipclab." in fact.source) == bool(fact.kernel), field


@pytest.mark.parametrize("name", ["mmap_file", "posix_shm", "sysv_shm"])
def test_what_the_ring_promises_is_no_fact_of_shared_memory(name: str) -> None:
    """Memory has no direction, no peer and no order: any process that maps it may do anything with it."""
    traits = mechanisms.load(name).traits
    assert traits.kind is Kind.SHARED_MEMORY
    rings = "ordered", "direction", "communication", "many_senders", "many_receivers", "on_full"
    assert {field: traits.fact(field).of for field in rings} == dict.fromkeys(rings, Whose.LAB)
    assert (traits.copies, traits.fact("copies").of) == (0, Whose.KERNEL)
    assert (traits.copies_by_send, traits.fact("copies_by_send").of) == (2, Whose.LAB)
    assert traits.fact("kind").of is traits.fact("persistence").of is traits.fact("requires").of is Whose.KERNEL


def test_what_the_textbook_says_otherwise_is_marked_as_the_labs() -> None:
    """A POSIX queue that is opened for both serves both ways; a pipe names no peer."""
    queue, pipe = (mechanisms.load(name).traits for name in ("posix_mq", "anonymous_pipe"))
    assert (queue.direction, queue.fact("direction").of) == (Direction.ONE_WAY, Whose.LAB)
    assert "two way" in queue.fact("direction").kernel
    assert (pipe.communication, pipe.fact("communication").of) == (Communication.DIRECT, Whose.LAB)
    assert "indirect" in pipe.fact("communication").kernel


def test_a_fact_reads_as_its_value_and_nobody_can_change_it() -> None:
    traits = mechanisms.load("fifo").traits
    assert traits.ordered is True
    assert traits.fact("ordered") == Fact(True, "pipe(7)")
    with pytest.raises(AttributeError):
        traits.ordered = False  # type: ignore[misc, assignment]
    with pytest.raises(KeyError):
        traits.fact("man_page")


def test_the_same_traits_but_for_one_fact() -> None:
    traits = mechanisms.load("fifo").traits
    other = traits.but(ordered=Fact(False, "pipe(7)"))
    assert (traits.ordered, other.ordered) == (True, False)
    assert other.but(ordered=traits.fact("ordered")) == traits != other


def test_a_fact_that_is_not_stated_is_missed() -> None:
    stated: dict[str, Any] = mechanisms.load("fifo").traits.facts()
    del stated["copies"]
    with pytest.raises(TypeError, match="copies"):
        Traits(man_page="fifo(7)", **stated)
