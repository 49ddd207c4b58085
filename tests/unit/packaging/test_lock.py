"""The lock: it is of what pyproject.toml asks for, has a hash for each file, and names no host."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from labctl.config.paths import ROOT

_LOCK = ROOT / "requirements.lock"
_IN_CONTAINERS = ROOT / "services" / "requirements.txt"
_PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())


def _pins(lock: Path) -> dict[str, list[tuple[Requirement, list[str]]]]:
    """For each distribution, its pins (one for each marker), each with the hashes of its files."""
    found: dict[str, list[tuple[Requirement, list[str]]]] = {}
    for entry in re.split(r"^(?=[^\s#])", lock.read_text(), flags=re.MULTILINE)[1:]:
        requirement = Requirement(entry.partition("\\")[0].strip())
        hashes = re.findall(r"--hash=(\S+)", entry)
        found.setdefault(canonicalize_name(requirement.name), []).append((requirement, hashes))
    return found


def _asked(group: str) -> list[Requirement]:
    return [Requirement(entry) for entry in _PROJECT["dependency-groups"][group] if isinstance(entry, str)]


def test_every_file_of_every_pin_has_its_hash() -> None:
    for lock in (_LOCK, _IN_CONTAINERS):
        for pins in _pins(lock).values():
            for requirement, hashes in pins:
                assert [pin.operator for pin in requirement.specifier] == ["=="], requirement
                assert hashes, requirement
                assert all(re.fullmatch(r"sha256:[0-9a-f]{64}", digest) for digest in hashes), requirement


@pytest.mark.parametrize(
    "group", ["(the command line)", "setup", "report", "test", "containers", "competitors", "page"]
)
def test_the_lock_has_what_pyproject_asks_for(group: str) -> None:
    asked = list(map(Requirement, _PROJECT["project"]["dependencies"])) if group[0] == "(" else _asked(group)
    assert asked
    pins = _pins(_LOCK)
    for requirement in asked:
        versions = [next(iter(pin.specifier)).version for pin, _ in pins[canonicalize_name(requirement.name)]]
        assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_the_containers_have_the_versions_and_hashes_of_the_lock_and_nothing_else() -> None:
    """pip in an image build reads a file of its own; it is cut out of the lock."""
    locked, inside = _pins(_LOCK), _pins(_IN_CONTAINERS)
    here = {name for name, pins in inside.items() if any(not pin.marker or pin.marker.evaluate() for pin, _ in pins)}
    assert here == {canonicalize_name(requirement.name) for requirement in _asked("containers")}
    for name, pins in inside.items():
        assert [(str(pin.specifier), hashes) for pin, hashes in pins] == [
            (str(pin.specifier), hashes) for pin, hashes in locked[name]
        ]


def test_no_host_is_named() -> None:
    """Where packages come from is the machine's choice, a mirror for example."""
    for path in (_LOCK, _IN_CONTAINERS, ROOT / "pyproject.toml"):
        assert "://" not in path.read_text(), path
