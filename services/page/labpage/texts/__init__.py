"""The words of the page, in two languages: `en.toml` and `ko.toml` have the same keys."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from typing import Any

LANGUAGES = {"en": "English", "ko": "한국어"}
DEFAULT = "en"


class Texts:
    """The words of one language. A key is a path, such as `picture.title`."""

    def __init__(self, language: str, entries: Mapping[str, str]) -> None:
        self.language = language
        self._entries = entries

    def __call__(self, key: str, **values: object) -> str:
        """The text, with {name} filled in.

        :raises KeyError: there is no such key
        """
        text = self._entries[key]
        return text.format(**values) if values else text

    def below(self, prefix: str) -> dict[str, str]:
        """All texts under a prefix, by the rest of their keys: what a script in the browser is given."""
        return {key.removeprefix(f"{prefix}."): text for key, text in self._entries.items() if key.startswith(prefix)}

    def keys(self) -> set[str]:
        """Every key."""
        return set(self._entries)


@cache
def texts(language: str) -> Texts:
    """The words of one of `LANGUAGES`.

    :raises KeyError: that is none of them
    """
    if language not in LANGUAGES:
        raise KeyError(language)
    tree = tomllib.loads((files(__package__) / f"{language}.toml").read_text(encoding="utf-8"))
    return Texts(language, dict(_flat(tree)))


def chosen(asked: str | None, remembered: str | None, accepted: str) -> str:
    """The language: what the address asks for, what was chosen before, what the browser accepts, or English."""
    preferred = [part.partition(";")[0].strip()[:2] for part in accepted.split(",")]
    return next((word for word in (asked, remembered, *preferred) if word in LANGUAGES), DEFAULT)


def _flat(tree: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in tree.items():
        key = f"{prefix}{name}"
        found += _flat(value, f"{key}.") if isinstance(value, dict) else [(key, str(value))]
    return found
