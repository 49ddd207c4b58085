"""The words of the dashboards in another language: they are English in `dashboards/`, and each is its own key."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.resources import files

from ipclab import mechanisms
from labpage.panels.definition import Dashboard, Organize

# Words that a query puts into a cell.
FROM_QUERIES = ("no answer", "separate")
# The same in every language: names, and what has no word.
UNTRANSLATED = frozenset({"", "C", "CPU", "Python/C", "fsync", "p99", *mechanisms.names()})


class Translation:
    """Texts of one language; a text that is not there stays as it is (a test finds it)."""

    def __init__(self, language: str, texts: Mapping[str, str], words: Mapping[str, str]) -> None:
        self.language, self._texts, self.words = language, texts, words

    def __call__(self, text: str) -> str:
        """The text in this language."""
        return self._texts.get(text, text)

    def texts(self) -> set[str]:
        """The texts that have a translation."""
        return set(self._texts)

    def has(self, text: str) -> bool:
        """Whether there is a translation."""
        return text in self._texts


@cache
def of(language: str) -> Translation:
    """The texts of a language.

    :raises FileNotFoundError: there are none
    """
    folder = files("labpage.texts")
    words = tomllib.loads((folder / f"panels.{language}.toml").read_text(encoding="utf-8"))
    texts = words.get("translated", {}) | {text["english"]: text["translated"] for text in words.get("content", [])}
    return Translation(language, texts, words["words"])


def texts_of(board: Dashboard) -> Iterator[str]:
    """Every text of a dashboard that a person reads, but for the names of lines."""
    yield from FROM_QUERIES
    yield from (board.title, board.description, *board.in_grafana_only)
    for variable in board.variables:
        yield from (variable.label, variable.description)
    for mark in board.marks:
        yield from (mark.name, mark.title)
    for panel in board.panels:
        yield from (panel.title, panel.description)
        if panel.content and "${" not in panel.content:
            yield panel.content
        for look in (panel.look, *(override.look for override in panel.overrides)):
            yield from (mapped.text for mapped in (look.mappings or {}).values())
            yield from (link.title for link in look.links or ())
            if look.no_value:
                yield look.no_value
        for step in panel.transformations:
            if isinstance(step, Organize):
                yield from (name for column, name in step.names.items() if column not in step.hidden)
