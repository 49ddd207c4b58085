"""The language of the exercises. English is in `NAME.md` and `NAME.toml`; a translation is a file `NAME.ko.md`."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from enum import StrEnum
from functools import cache
from pathlib import Path

from labctl.config.paths import ROOT

EXERCISES = ROOT / "exercises"


class Language(StrEnum):
    """The languages that the exercises have."""

    ENGLISH = "en"
    KOREAN = "ko"

    def file(self, path: Path) -> Path:
        """The file beside `path` in this language."""
        return path if self is Language.ENGLISH else path.with_suffix(f".{self}{path.suffix}")


def usual(environment: Mapping[str, str] = os.environ) -> Language:
    """The language of the shell, by the variables of locale(7); English where the exercises lack it."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        if value := environment.get(name):
            return Language.KOREAN if value.partition("_")[0] == "ko" else Language.ENGLISH
    return Language.ENGLISH


@cache
def phrases(language: Language) -> Mapping[str, str]:
    """What the commands themselves say: `exercises/phrases.toml` in this language."""
    text = language.file(EXERCISES / "phrases.toml").read_text(encoding="utf-8")
    return {name: str(phrase) for name, phrase in tomllib.loads(text).items()}


def phrase(language: Language, name: str, **values: object) -> str:
    """One phrase, with its values filled in."""
    return phrases(language)[name].format(**values)
