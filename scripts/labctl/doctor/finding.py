"""One line of `./lab doctor`: what was looked at, how it is, and what to change."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Verdict(StrEnum):
    """How a check ended."""

    OK = "ok"
    WARN = "warn"
    BAD = "bad"


@dataclass(frozen=True)
class Finding:
    """One line of the table."""

    what: str
    verdict: Verdict
    found: str
    change: str = ""
