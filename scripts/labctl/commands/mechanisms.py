"""`./lab mechanisms`: the facts of every mechanism, as tables, as sheets, as JSON and for docs/MECHANISMS.md.

Each fact has its source, and a mark that tells the kernel's facts from the choices of the lab.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ipclab import mechanisms
from ipclab.contract.channel import LARGE_BYTES, Fact, Traits, Whose
from labctl.config import compose_file
from labctl.config.traits import traits_of
from labctl.terminal.printing import new_table, show_lines, show_table, size
from labctl.workshop.sheets import sheet, speed

# The fields of `Traits` by the words that the other table has for them.
FACTS = {
    "kind": "kind",
    "ordered": "order",
    "reliable": "reliable",
    "direction": "direction",
    "communication": "communication",
    "on_full": "when full",
    "persistence": "persistence",
    "many_senders": "senders",
    "many_receivers": "receivers",
    "requires": "needs",
    "copies": "copies",
    "copies_large": "copies, large",
    "copies_by_send": "copies, by send",
    "max_message_bytes": "limit",
    "waits": "waits",
    "send_errnos": "errors of sending",
}


def sources_as_markdown(mechanisms: Mapping[str, Traits]) -> str:
    """Two tables: where each fact is written, and what the kernel alone gives where the fact is the lab's (`*`)."""
    return "\n".join(
        (
            _table("where it is written", mechanisms, lambda fact: fact.source),
            _table("what the kernel alone gives, where the lab adds or leaves out something", mechanisms, _kernel),
        )
    )


def _kernel(fact: Fact[Any]) -> str:
    return fact.kernel


def _table(heading: str, mechanisms: Mapping[str, Traits], words: Callable[[Fact[Any]], str]) -> str:
    rows = {word: _said(mechanisms, fact, words) for fact, word in FACTS.items()}
    lines = [f"| fact | {heading} |", "| --- | --- |"]
    lines += [f"| {word} | {'<br>'.join(said)} |" for word, said in rows.items() if said]
    return "".join(f"{line}\n" for line in lines)


def _said(mechanisms: Mapping[str, Traits], fact: str, words: Callable[[Fact[Any]], str]) -> list[str]:
    """Each text with the mechanisms that have it; those that most have come first."""
    named: dict[str, list[str]] = defaultdict(list)
    for name, traits in mechanisms.items():
        if text := words(traits.fact(fact)):
            named[text].append(f"`{name}`")
    return [f"{text} ({', '.join(names)})" for text, names in sorted(named.items(), key=lambda e: -len(e[1]))]


_WIDTH = 78
_NOTES = (
    "* is the lab's way of using the kernel, not a fact of the kernel: ./lab mechanisms MECHANISM says both.",
    "Limit: the largest message, header included. Copies: of each message's bytes, in the kernel and in ours;",
    f"large is {LARGE_BYTES // 1024} KiB and more. Pair: whether ./lab up runs it.",
    "docs/MECHANISMS.md explains the columns; --json names the sources.",
)


@dataclass(frozen=True, slots=True)
class Row:
    """A mechanism, what it says of itself, and whether compose.yaml runs it as a pair."""

    name: str
    traits: Traits
    pair: bool


Columns = dict[str, Callable[[Row], str]]

_NAME = "mechanism"


def _fact(name: str, words: Callable[[Any], str] = str) -> Callable[[Row], str]:
    """The cell of one fact; a `*` says that it is the lab's."""

    def cell(row: Row) -> str:
        fact = row.traits.fact(name)
        return f"{words(fact.value)}{'*' if fact.of is Whose.LAB else ''}"

    return cell


def _kept(fact: bool) -> str:
    return "kept" if fact else "not kept"


def _yes(fact: bool) -> str:
    return "yes" if fact else "no"


def _many(fact: bool) -> str:
    return "many" if fact else "one"


def _list(fact: Sequence[str]) -> str:
    return ", ".join(fact) or "none"


def _sorted(fact: Iterable[str]) -> str:
    return _list(sorted(fact))


# Three tables, because one line of a terminal has no room for all; in Markdown they are one.
_PROMISES: Columns = {
    "kind": _fact("kind"),
    "order": _fact("ordered", _kept),
    "reliable": _fact("reliable", _yes),
    "direction": _fact("direction"),
    "communication": _fact("communication"),
    "when full": _fact("on_full"),
    "persistence": _fact("persistence"),
}
_NEEDS: Columns = {
    "senders": _fact("many_senders", _many),
    "receivers": _fact("many_receivers", _many),
    "needs": _fact("requires", _sorted),
    "copies": _fact("copies"),
    "copies, large": _fact("copies_large"),
    "copies, by send": _fact("copies_by_send"),
}
_LIMITS: Columns = {
    "limit": _fact("max_message_bytes", size),
    "waits": _fact("waits", _list),
    "switches": lambda row: _sorted(switch.replace("_", " ") for switch in row.traits.switches),
    "man page": lambda row: row.traits.man_page,
    "pair": lambda row: _yes(row.pair),
}
COLUMNS: Columns = {**_PROMISES, **_NEEDS, **_LIMITS}
ERRNOS = _fact("send_errnos", _list)


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


def show_one(name: str) -> None:
    """Print every fact of one mechanism, whose it is, and where that is written."""
    row = next(row for row in rows() if row.name == name)
    cells = {**COLUMNS, "errors of sending": ERRNOS}
    table = new_table()
    table.add_column(f"{name}: fact", no_wrap=True)
    for heading in ("value", "whose", "where it is written"):
        table.add_column(heading, overflow="fold")
    said: list[str] = []
    for field, heading in FACTS.items():
        fact = row.traits.fact(field)
        table.add_row(heading, cells[heading](row).rstrip("*"), f"the {fact.of}'s", fact.source)
        if fact.kernel:
            said += ["", f"{heading}, by the kernel alone:", *textwrap.wrap(fact.kernel, _WIDTH)]
    show_table(table)
    page, _, section = row.traits.man_page.rstrip(")").partition("(")
    show_lines([f"Where to begin to read: man {section} {page}", *said])


def show_json() -> None:
    """Print the facts as they are, with their sources; sizes in bytes."""
    sys.stdout.write(json.dumps({"mechanisms": [_as_json(row) for row in rows()]}, indent=2) + "\n")


def show_markdown() -> None:
    """Print the tables of docs/MECHANISMS.md."""
    found = rows()
    sources = sources_as_markdown({row.name: row.traits for row in found})
    sys.stdout.write(f"{as_markdown(found)}\n{sources}")


def show_sheets(language: sheet.Language, bench: Path | None) -> None:
    """Print a sheet for each mechanism.

    :param bench: the bench.json of `./lab bench`
    :raises BadInput: the file is no such file
    """
    figures = speed.read(bench) if bench else None
    sys.stdout.write(sheet.as_markdown({row.name: row.traits for row in rows()}, language, figures))


def rows() -> list[Row]:
    """Every mechanism, sorted by name.

    :raises LabError: the files of a mechanism ask for what this machine does not have
    """
    declared = compose_file.declared()
    return [Row(name, traits_of(name), name in declared) for name in mechanisms.names()]


def as_markdown(found: Sequence[Row]) -> str:
    """One table of all columns."""
    lines = [[_NAME, *COLUMNS], ["---"] * (1 + len(COLUMNS))]
    lines += [[f"`{row.name}`", *(cell(row) for cell in COLUMNS.values())] for row in found]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _as_json(row: Row) -> dict[str, Any]:
    facts = row.traits.facts()
    return {
        "mechanism": row.name,
        "pair": row.pair,
        **{name: fact.value for name, fact in facts.items()},
        "requires": sorted(row.traits.requires),
        "man_page": row.traits.man_page,
        "switches": dict(row.traits.switches),
        "of": {name: fact.of for name, fact in facts.items()},
        "sources": {name: fact.source for name, fact in facts.items()},
        "kernel": {name: fact.kernel for name, fact in facts.items() if fact.of is Whose.LAB},
    }
