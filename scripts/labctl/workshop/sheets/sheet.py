"""The sheets of all mechanisms, in one language, as Markdown: what docs/CHEATSHEET.md and its translation contain."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Any

from ipclab.contract.channel import Traits, Whose
from labctl.terminal.printing import size
from labctl.workshop.sheets import advice, picture
from labctl.workshop.sheets.speed import Figure, Speed

Words = Mapping[str, Mapping[str, str]]


class Language(StrEnum):
    """A language that has a file of words."""

    ENGLISH = "en"
    KOREAN = "ko"


def words_of(language: Language) -> Words:
    """Every word of the sheets, by section and key."""
    file = Path(__file__).with_name(f"{language}.toml")
    found: Words = tomllib.loads(file.read_text(encoding="utf-8"))
    return found


def as_markdown(mechanisms: Mapping[str, Traits], language: Language, speed: Speed | None = None) -> str:
    """One sheet after the other, by name; with figures where there are any."""
    words = words_of(language)
    return "\n".join(_sheet(name, traits, words, speed) for name, traits in sorted(mechanisms.items()))


def _sheet(name: str, traits: Traits, words: Words, speed: Speed | None) -> str:
    labels = words["labels"]
    lines = [f"## {name}", "", "```", *picture.draw(traits), "```", ""]
    lines += [f"| {labels['facts']} | {labels['value']} |", "| --- | --- |"]
    lines += [f"| {word} | {_value(traits, fact, words)} |" for fact, word in words["facts"].items()]
    lines += ["", f"**{labels['take']}**", ""]
    lines += [f"- {words['take'][key]}" for key in advice.take(traits)]
    lines += ["", f"**{labels['leave']}**", ""]
    limit = size(traits.max_message_bytes)
    lines += [f"- {words['leave'][key].format(limit=limit)}" for key in advice.leave(traits)]
    lines += _measured(name, words, speed) if speed else []
    page, _, section = traits.man_page.rstrip(")").partition("(")
    lines += ["", f"{labels['read']}: `man {section} {page}`, `./lab mechanisms {name}`", ""]
    return "\n".join(lines)


def _value(traits: Traits, fact: str, words: Words) -> str:
    """The fact in words; a `*` says that it is the lab's way, not the kernel's."""
    stated = traits.fact(fact)
    return f"{_in_words(fact, stated.value, words['values'])}{'*' if stated.of is Whose.LAB else ''}"


def _in_words(fact: str, value: Any, words: Mapping[str, str]) -> str:
    match fact:
        case "ordered":
            return words["kept" if value else "not_kept"]
        case "reliable":
            return words["yes" if value else "no"]
        case "many_senders" | "many_receivers":
            return words["many" if value else "one"]
        case "max_message_bytes":
            return size(value)
        case "copies":
            return str(value)
        case "waits":
            return ", ".join(words[each] for each in value)
        case "requires":
            return ", ".join(words[each] for each in sorted(value))
    return words[value]


def _measured(name: str, words: Words, speed: Speed) -> list[str]:
    """The figures of one mechanism, and under which conditions they were taken."""
    figures = [figure for figure in speed.figures if figure.mechanism == name]
    if not figures:
        return []
    conditions = words["speed"]["conditions"].format(**speed.conditions)
    lines = [_line(figure, words["speed"]) for figure in figures]
    return ["", f"**{words['labels']['speed']}**", "", *dict.fromkeys(lines), "", conditions]


def _line(figure: Figure, words: Mapping[str, str]) -> str:
    us = f"{figure.us:.2f}"
    if figure.mb_per_s is None:
        what, said = words["round_trip"], words["us"].format(us=us)
    else:
        what, said = words["one_way"], words["rate"].format(us=us, rate=f"{figure.mb_per_s:,.0f}")
    notes = [words[note] for note, applies in (("two", figure.two_cpus), ("spin", figure.spins)) if applies]
    more = f" ({', '.join(notes)})" if notes else ""
    return f"- {what.format(size=size(figure.size_bytes))}{more}: {said}"
