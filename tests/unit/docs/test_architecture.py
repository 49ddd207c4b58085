"""The drawing of docs/ARCHITECTURE.md has every package, and every import goes down in it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
_BOX = re.compile(r"│([^│]+)│")
# Whose column begins where.
_PACKAGES = {"ipclab": ("services", 0), "labctl": ("scripts", 40)}


def layers(package: str) -> list[list[str]]:
    """The boxes of one column, from the top."""
    text = (ROOT / "docs" / "ARCHITECTURE.md").read_text(encoding="utf-8")
    begin = _PACKAGES[package][1]
    boxes = [match for line in text.splitlines() for match in _BOX.finditer(line)]
    return [box[1].split() for box in boxes if (box.start() >= 40) is (begin >= 40)]


def rooms(package: str) -> dict[str, list[Path]]:
    """Every package and module at the top of `package`, with its files."""
    folder = ROOT / _PACKAGES[package][0] / package
    found: dict[str, list[Path]] = {}
    for file in folder.rglob("*.py"):
        parts = file.relative_to(folder).parts
        name = parts[0].removesuffix(".py")
        if name != "__init__" and not (package == "labctl" and name == "__main__"):  # runs main, and that is all
            found.setdefault(name, []).append(file)
    return found


def imported(file: Path, package: str) -> set[str]:
    """The rooms of `package` from which a file imports."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {f"{node.module}.{alias.name}" for alias in node.names}
    return {name.split(".")[1] for name in names if name.startswith(f"{package}.")}


@pytest.mark.parametrize("package", _PACKAGES)
def test_the_drawing_has_every_package_once(package: str) -> None:
    drawn = [name for layer in layers(package) for name in layer]
    assert sorted(drawn) == sorted(rooms(package))


@pytest.mark.parametrize("package", _PACKAGES)
def test_every_import_goes_down_in_the_drawing(package: str) -> None:
    level = {name: number for number, layer in enumerate(layers(package)) for name in layer}
    up = {
        (room, other)
        for room, files in rooms(package).items()
        for file in files
        for other in imported(file, package)
        if other != room and level.get(other, 99) <= level[room]
    }
    assert up == set()
