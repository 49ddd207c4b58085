"""An errno is what a system call returned; where none failed, an error has a word of its own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import ipclab

FOLDER = Path(ipclab.__file__).parent
# What the call that is spared would return: a message or a name that is too long, an object that is another's, a
# feature that is not there, an address that a trial bind(2) has just refused.
RETURNED_BY = re.compile(r"# by \w+\(2\)")  # a comment says which call returned it, a few lines before
FORESEEN = {"EMSGSIZE", "E2BIG", "EINVAL", "EEXIST", "ENOSYS", "ENOTSUP", "EADDRNOTAVAIL"}


def made_up(tree: ast.AST, *, caught: bool = False) -> Iterator[tuple[int, str]]:
    """Line and errno of every `code=errno.X` where no exception of a system call is at hand.

    It is in an `except` block, or in a function that is given the error.
    """
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.keyword) and node.arg == "code" and not caught:
            for part in ast.walk(node.value):
                if isinstance(part, ast.Attribute) and ast.unparse(part.value) == "errno":
                    yield part.lineno, part.attr
        yield from made_up(node, caught=caught or isinstance(node, ast.ExceptHandler) or _is_given_one(node))


def _is_given_one(node: ast.AST) -> bool:
    return isinstance(node, ast.FunctionDef) and any(argument.arg == "error" for argument in node.args.args)


def test_no_errno_is_made_up() -> None:
    found = {
        f"{path.relative_to(FOLDER)}:{line}: {name}"
        for path in FOLDER.rglob("*.py")
        for text in [path.read_text(encoding="utf-8")]
        for line, name in made_up(ast.parse(text))
        if name not in FORESEEN and not RETURNED_BY.search(text.splitlines()[line - 1])
    }
    assert found == set()
