"""`./lab mechanisms`: what every mechanism says of itself, for people, for machines and for docs/MECHANISMS.md."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, fields
from typing import Any

from ipclab import registry
from ipclab.channel import Traits
from labctl import mechanism_sources, pairs
from labctl.errors import LabError
from labctl.printing import new_table, show_lines, show_table

_NOTES = (
    "Limit: the largest message, header included. Copies: of each message's bytes, in the kernel and in ours.",
    "Pair: whether ./lab up runs it. docs/MECHANISMS.md explains the columns; --json names the sources.",
)


@dataclass(frozen=True, slots=True)
class Row:
    """A mechanism, what it says of itself, and whether compose.yaml runs it as a pair."""

    name: str
    traits: Traits
    pair: bool


Columns = dict[str, Callable[[Row], str]]

_NAME = "mechanism"
# Three tables, because one line of a terminal has no room for all; in Markdown they are one.
_PROMISES: Columns = {
    "kind": lambda row: row.traits.kind,
    "order": lambda row: "kept" if row.traits.ordered else "not kept",
    "reliable": lambda row: _yes(row.traits.reliable),
    "direction": lambda row: row.traits.direction,
    "communication": lambda row: row.traits.communication,
    "when full": lambda row: row.traits.on_full,
    "persistence": lambda row: row.traits.persistence,
}
_NEEDS: Columns = {
    "senders": lambda row: _many(row.traits.many_senders),
    "receivers": lambda row: _many(row.traits.many_receivers),
    "needs": lambda row: ", ".join(sorted(row.traits.requires)),
    "copies": lambda row: str(row.traits.copies),
}
_LIMITS: Columns = {
    "limit": lambda row: size(row.traits.max_message_bytes),
    "waits": lambda row: ", ".join(row.traits.waits),
    "switches": lambda row: ", ".join(sorted(row.traits.switches)) or "none",
    "man page": lambda row: row.traits.man_page,
    "pair": lambda row: _yes(row.pair),
}
COLUMNS: Columns = {**_PROMISES, **_NEEDS, **_LIMITS}


def show_mechanisms() -> None:
    """Print the tables that a person reads."""
    found = rows()
    for columns in (_PROMISES, _NEEDS, _LIMITS):
        table = new_table()
        table.add_column(_NAME, no_wrap=True)
        for heading in columns:
            table.add_column(heading, overflow="fold")
        for row in found:
            table.add_row(row.name, *(cell(row) for cell in columns.values()))
        show_table(table)
    show_lines(_NOTES)


def show_json() -> None:
    """Print the facts as they are, with their sources; sizes in bytes."""
    sys.stdout.write(json.dumps({"mechanisms": [_as_json(row) for row in rows()]}, indent=2) + "\n")


def show_markdown() -> None:
    """Print the tables that stand in docs/MECHANISMS.md."""
    found = rows()
    sources = mechanism_sources.as_markdown({row.name: row.traits for row in found})
    sys.stdout.write(f"{as_markdown(found)}\n{sources}")


def rows() -> list[Row]:
    """Every mechanism, sorted by name.

    :raises LabError: the files of a mechanism ask for what this machine does not have
    """
    declared = pairs.declared()
    return [Row(name, traits_of(name), name in declared) for name in registry.names()]


def as_markdown(found: Sequence[Row]) -> str:
    """One table of all columns."""
    lines = [[_NAME, *COLUMNS], ["---"] * (1 + len(COLUMNS))]
    lines += [[f"`{row.name}`", *(cell(row) for cell in COLUMNS.values())] for row in found]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def size(size_bytes: int) -> str:
    """Exactly `size_bytes`, in the largest unit that leaves a whole number."""
    for unit, factor in (("MiB", 2**20), ("KiB", 2**10)):
        if size_bytes and size_bytes % factor == 0:
            return f"{size_bytes // factor:,} {unit}"
    return f"{size_bytes:,} B"


def traits_of(name: str) -> Traits:
    """What a mechanism says of itself.

    :raises LabError: its file asks for what this machine does not have
    """
    try:
        return registry.load(name).traits
    except (ImportError, AttributeError, OSError) as error:  # macOS has no sem_timedwait(3), for one
        reason = " ".join(str(error).split())
        raise LabError(
            f"{name} cannot be loaded on {sys.platform}: {reason}",
            hint="the same facts are in docs/MECHANISMS.md",
        ) from error


def _as_json(row: Row) -> dict[str, Any]:
    facts = {field.name: getattr(row.traits, field.name) for field in fields(row.traits)}
    return {
        "mechanism": row.name,
        "pair": row.pair,
        **facts,
        "requires": sorted(row.traits.requires),
        "sources": dict(sorted(row.traits.sources.items())),
    }


def _many(fact: bool) -> str:
    return "many" if fact else "one"


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"
