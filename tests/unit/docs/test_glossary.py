"""docs/GLOSSARY.md: each term is there once and in order, and the roles are among them."""

from __future__ import annotations

import re
from pathlib import Path

GLOSSARY = Path(__file__).resolve().parents[3] / "docs" / "GLOSSARY.md"
TERMS = re.findall(r"^- \*\*(.+?)\*\*: .+", GLOSSARY.read_text(encoding="utf-8"), re.MULTILINE)


def test_the_terms_are_in_order_and_each_is_there_once() -> None:
    assert len(TERMS) > 20
    assert sorted(set(TERMS), key=str.lower) == TERMS


def test_every_line_of_the_list_is_a_term() -> None:
    lines = GLOSSARY.read_text(encoding="utf-8").splitlines()
    assert len([line for line in lines if line.startswith("- ")]) == len(TERMS)


def test_the_roles_and_the_words_of_an_account_are_explained() -> None:
    from ipclab.metrics.definitions import Role

    words = {"kernel exporter" if role is Role.KERNEL else str(role) for role in Role}
    assert words <= set(TERMS)
    assert {"in flight", "lost", "skipped", "corrupt", "ledger", "epoch", "pair", "placement"} <= set(TERMS)
