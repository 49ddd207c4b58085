"""Containers go away while they are listed: those of a stack that is removed, of a run that ends."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import labctl

SOURCES = sorted(Path(labctl.__file__).parent.rglob("*.py"))
# docker-py inspects each container after the listing, and raises NotFound for one that is gone, unless told otherwise.
SAFE = {"sparse", "ignore_removed"}


def lists_of(source: str) -> list[ast.Call]:
    """The calls of `….containers.list(…)`."""
    return [
        node
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "list"
        and isinstance(node.func.value, ast.Attribute)
        and node.func.value.attr == "containers"
    ]


def test_the_lists_are_found() -> None:
    assert sum(len(lists_of(path.read_text(encoding="utf-8"))) for path in SOURCES) > 5


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(SOURCES[0].parent)))
def test_a_container_that_goes_away_meanwhile_is_no_error(path: Path) -> None:
    for call in lists_of(path.read_text(encoding="utf-8")):
        assert {keyword.arg for keyword in call.keywords} & SAFE, f"{path.name}:{call.lineno}"
