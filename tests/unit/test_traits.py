"""Traits are facts, and every fact says where it is written."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import fields

import pytest

from ipclab import registry
from ipclab.channel import Traits

FACTS = {field.name for field in fields(Traits)} - {"man_page", "sources", "switches"}
_SOURCE = re.compile(r"[\w.-]+\([1-8]\)|ipclab\.\w+")


@pytest.mark.parametrize("name", registry.names())
def test_every_fact_has_a_source(name: str) -> None:
    traits = registry.load(name).traits
    assert set(traits.sources) == FACTS
    for source in (traits.man_page, *traits.sources.values()):
        assert _SOURCE.match(source), source


@pytest.mark.parametrize("name", registry.names())
def test_a_module_of_ours_that_is_a_source_exists(name: str) -> None:
    for source in registry.load(name).traits.sources.values():
        for module in re.findall(r"ipclab\.[\w.]*\w", source):
            assert importlib.util.find_spec(module), source
