"""Traits are facts, and every fact says where it is written."""

from __future__ import annotations

import re
from dataclasses import fields

from ipclab.channel import Traits

FACTS = {
    *("kind", "ordered", "reliable", "max_message_bytes", "on_full", "persistence", "direction"),
    *("communication", "many_senders", "many_receivers"),
}


def test_every_fact_has_a_source(traits: Traits) -> None:
    assert set(traits.sources) >= FACTS
    assert set(traits.sources) <= {field.name for field in fields(Traits)}
    for source in (traits.man_page, *traits.sources.values()):
        assert re.match(r"[\w.-]+\([1-8]\)|ipclab\.\w+", source), source
