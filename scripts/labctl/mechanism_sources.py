"""Where the facts that `./lab mechanisms` shows are written, for docs/MECHANISMS.md: a row for each fact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping

from ipclab.channel import Traits

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
    "max_message_bytes": "limit",
    "waits": "waits",
    "send_errnos": "errors of sending",
}


def as_markdown(mechanisms: Mapping[str, Traits]) -> str:
    """A table of each fact's sources, and whose they are."""
    lines = ["| fact | where it is written |", "| --- | --- |"]
    lines += [f"| {word} | {'<br>'.join(_sources(mechanisms, fact))} |" for fact, word in FACTS.items()]
    return "".join(f"{line}\n" for line in lines)


def _sources(mechanisms: Mapping[str, Traits], fact: str) -> list[str]:
    """Each source with the mechanisms that name it; those that most name come first."""
    named: dict[str, list[str]] = defaultdict(list)
    for name, traits in mechanisms.items():
        named[traits.sources[fact]].append(f"`{name}`")
    return [f"{source} ({', '.join(names)})" for source, names in sorted(named.items(), key=lambda e: -len(e[1]))]
