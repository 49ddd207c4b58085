"""Where the facts that `./lab mechanisms` shows are written, and whose they are, for docs/MECHANISMS.md."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping
from typing import Any

from ipclab.contract.channel import Fact, Traits

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
