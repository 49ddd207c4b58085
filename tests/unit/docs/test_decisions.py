"""The decisions have one form, and every number named in one leads to another."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

FOLDER = Path(__file__).resolve().parents[3] / "docs" / "decisions"
DECISIONS = sorted(FOLDER.iterdir())
SECTIONS = ["Context", "Decision", "Consequences", "Alternatives"]
# Long enough for a table, and too short for a diary.
MOST_WORDS = 500


@pytest.mark.parametrize("path", DECISIONS, ids=lambda path: path.name)
def test_a_decision_has_the_one_form(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    named = re.fullmatch(r"00(\d\d)-[a-z0-9]+(-[a-z0-9]+)*\.md", path.name)
    assert named, "the file's name is 00NN-words-of-the-title.md"
    title, _, body = text.partition("\n")
    assert re.fullmatch(rf"# {named[1]} [A-Z].*[a-z0-9]", title), f"the first line is # {named[1]} Title, not {title!r}"
    assert re.findall(r"^## (.+)$", text, re.MULTILINE) == SECTIONS
    assert all(section.strip() for section in re.split(r"^## .+$", body, flags=re.MULTILINE)[1:]), "a section is empty"
    assert len(text.split()) <= MOST_WORDS


def test_no_number_is_given_twice() -> None:
    numbers = [path.name[:4] for path in DECISIONS]
    assert len(set(numbers)) == len(numbers)


def test_a_link_between_decisions_has_the_number_of_its_target() -> None:
    for path in DECISIONS:
        for label, number in re.findall(r"\[(\d\d)\]\(00(\d\d)-[^)]+\)", path.read_text(encoding="utf-8")):
            assert label == number, f"{path.name}: [{label}]"


def test_every_decision_named_in_the_tree_exists() -> None:
    """In comments and pages alike."""
    root = FOLDER.parents[1]
    readable = {".py", ".md", ".yaml", ".yml", ".toml", ".sh", ".ini"}
    folders = [root / name for name in ("services", "scripts", "dashboards", "tests", "docs")]
    files = [file for folder in folders for file in folder.rglob("*") if file.suffix in readable]
    files += [file for file in root.iterdir() if file.suffix in readable]
    names = {path.name for path in DECISIONS}
    for file in files:
        for name in re.findall(r"\b00\d\d-[a-z0-9-]+\.md", file.read_text(encoding="utf-8")):
            assert name in names, f"{file.relative_to(root)}: {name}"
