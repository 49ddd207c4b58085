"""Modules and files that docs, docstrings and comments name exist: a move takes the names along."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
_PARENTS = {"ipclab": ROOT / "services", "labctl": ROOT / "scripts", "dashboards": ROOT}
_KINDS = {".py", ".md", ".toml", ".yaml", ".yml", ".sh", ""}
_DOTTED = re.compile(r"`((?:ipclab|labctl|dashboards)(?:\.\w+)+)`")
_PATH = re.compile(r"(?<![\w/.-])((?:services|scripts|dashboards|docs)/[\w./-]*\w\.(?:py|md|yaml|toml))\b")
# The mechanism that the guide writes, and any mechanism.
_NOT_THERE = {"services/ipclab/mechanisms/tcp_nagle.py", "services/ipclab/mechanisms/NAME.py"}


def sources() -> Iterator[Path]:
    """Every text of the repository in which a name may stand; tests make up files of their own."""
    for folder in ("services", "scripts", "dashboards", "docs"):
        yield from (file for file in (ROOT / folder).rglob("*") if file.is_file() and file.suffix in _KINDS)
    yield from (file for file in ROOT.iterdir() if file.is_file() and file.suffix in _KINDS and file.name != ".git")


def is_there(dotted: str) -> bool:
    """Whether it is a package or module, or a name that stands in one."""
    package, *rest = dotted.split(".")
    place = _PARENTS[package] / package
    while rest and (place.joinpath(rest[0]).is_dir() or place.joinpath(f"{rest[0]}.py").is_file()):
        place /= rest.pop(0)
    module = place / "__init__.py" if place.is_dir() else place.with_suffix(".py")
    return module.is_file() and all(re.search(rf"\b{name}\b", module.read_text(encoding="utf-8")) for name in rest)


@pytest.mark.parametrize(
    ("dotted", "there"),
    [
        ("ipclab.metrics", True),
        ("ipclab.metrics.definitions.PART_OF", True),
        ("ipclab.metrics.PART_OF", False),
        ("ipclab.queued", False),
        ("labctl.main.main", True),
        ("dashboards.sharing.parts", True),
    ],
)
def test_a_dotted_name_is_looked_for_where_it_would_be(dotted: str, there: bool) -> None:
    assert is_there(dotted) is there


def test_every_name_of_a_module_is_of_one_that_exists() -> None:
    named = {(file, name) for file in sources() for name in _DOTTED.findall(file.read_text(encoding="utf-8"))}
    assert named
    assert sorted(f"{file.relative_to(ROOT)}: {name}" for file, name in named if not is_there(name)) == []


def test_every_path_is_of_a_file_that_exists() -> None:
    named = {(file, name) for file in sources() for name in _PATH.findall(file.read_text(encoding="utf-8"))}
    assert named
    absent = {(file, name) for file, name in named if name not in _NOT_THERE and not (ROOT / name).is_file()}
    assert sorted(f"{file.relative_to(ROOT)}: {name}" for file, name in absent) == []
