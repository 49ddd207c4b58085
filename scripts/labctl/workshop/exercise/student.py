"""Who does the exercises, and the values that are theirs: drawn from a seed, so that neighbours differ.

The seed is LAB_STUDENT, or else this machine. The same student gets the same values again.
"""

from __future__ import annotations

import hashlib
import os
import platform
import random
import re
from collections.abc import Mapping
from pathlib import Path

from labctl.config.configuration import STUDENT
from labctl.config.values import refuse, shown
from labctl.workshop.exercise.exercise import Choices, Exercise, Numbers

VARIABLE = STUDENT
_NAME = re.compile(r"[\w .@-]{1,60}")
_MACHINE_IDS = (Path("/etc/machine-id"), Path("/var/lib/dbus/machine-id"))  # machine-id(5)

Value = str | int


def name(environment: Mapping[str, str] = os.environ) -> str:
    """The student's name.

    :raises BadInput: LAB_STUDENT is no name
    """
    found = environment.get(VARIABLE, "")
    if not found:
        return f"machine-{hashlib.sha256(_machine().encode()).hexdigest()[:8]}"
    if not _NAME.fullmatch(found) or found != found.strip():
        raise refuse(
            f"{VARIABLE}={shown(found)}",
            expected="a name of up to 60 letters, digits, blanks, _, ., @ and -",
            hint=f"{VARIABLE}=anna ./lab exercise start 1",
        )
    return found


def draw(exercise: Exercise, student: str) -> dict[str, Value]:
    """The values of one student, by their names in `exercise.toml`."""
    return {key: _drawn(value, f"{student}/{exercise.name}/{key}") for key, value in exercise.values.items()}


def filled_in(text: str, values: Mapping[str, Value]) -> str:
    """The text with the values in the places of their names in capitals; a Korean particle may follow a name."""
    for key, value in values.items():
        text = re.sub(rf"(?<![A-Za-z0-9_]){key.upper()}(?![A-Za-z0-9_])", str(value), text)
    return text


def _drawn(value: Choices | Numbers, seed: str) -> Value:
    chance = random.Random(seed)  # by the text itself, so the same on every machine and in every Python
    if isinstance(value, Choices):
        return chance.choice(value.words)
    return chance.randrange(value.first, value.last + 1, value.step)


def _machine() -> str:
    for path in _MACHINE_IDS:
        if path.is_file() and (found := path.read_text(encoding="ascii", errors="replace").strip()):
            return found
    return platform.node()
