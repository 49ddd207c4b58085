"""The exercise that docs/ADDING_AN_EXERCISE.md begins with, written to a folder as the page says."""

from __future__ import annotations

import re
from pathlib import Path

from labctl.workshop.exercise import exercise
from labctl.workshop.exercise.exercise import Exercise

PAGE = Path(__file__).resolve().parents[2] / "docs" / "ADDING_AN_EXERCISE.md"
NAME = "19_larger_messages"
_FILE = re.compile(r"^`([\w./]+)`[^\n]*\n(?:[^\n`]+\n)*\n(`{3,4})\w+\n(.*?)^\2$", re.M | re.S)


def write_exercise(folder: Path) -> Exercise:
    """Each block of the page to the file that the line before it names."""
    for name, _, content in _FILE.findall(PAGE.read_text(encoding="utf-8")):
        path = folder / NAME / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, encoding="utf-8")
        path.chmod(0o755 if path.suffix == ".sh" else 0o644)
    return exercise.load(folder / NAME)
