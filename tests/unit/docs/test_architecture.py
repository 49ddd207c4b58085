"""The drawing of docs/ARCHITECTURE.md has every package, in the layers that import-linter holds."""

from __future__ import annotations

import re
import tomllib
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


def rooms(package: str) -> set[str]:
    """Every package and module at the top of `package`."""
    folder = ROOT / _PACKAGES[package][0] / package
    names = {file.relative_to(folder).parts[0].removesuffix(".py") for file in folder.rglob("*.py")}
    return (
        names - {"__init__"} - ({"__main__"} if package == "labctl" else set())
    )  # that one runs main, and that is all


@pytest.mark.parametrize("package", _PACKAGES)
def test_the_drawing_has_every_package_once(package: str) -> None:
    assert sorted(name for layer in layers(package) for name in layer) == sorted(rooms(package))


@pytest.mark.parametrize("package", _PACKAGES)
def test_the_drawing_is_what_import_linter_holds(package: str) -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"][
        "contracts"
    ]
    (held,) = (contract["layers"] for contract in contracts if contract["name"] == f"{package}: arrows go down")
    assert [sorted(layer) for layer in layers(package)] == [
        sorted(name.strip().removeprefix(f"{package}.") for name in layer.split("|")) for layer in held
    ]
