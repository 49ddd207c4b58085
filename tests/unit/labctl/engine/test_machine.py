"""What os-release's fields are taken to mean."""

from __future__ import annotations

from pathlib import Path

import pytest

from labctl.engine.machine import Machine, describe, in_container


def _machine(os_release: dict[str, str], *, machine: str = "x86_64", has_apt: bool = True) -> Machine:
    return describe(os_release, system="Linux", machine=machine, has_apt=has_apt)


@pytest.mark.parametrize(
    ("os_release", "installs"),
    [
        ({"ID": "debian", "VERSION_ID": "12"}, True),
        ({"ID": "ubuntu", "ID_LIKE": "debian", "VERSION_ID": "24.04"}, True),
        ({"ID": "linuxmint", "ID_LIKE": "ubuntu debian"}, True),
        ({"ID": "fedora", "VERSION_ID": "43"}, False),
        ({"ID": "alpine"}, False),
        ({}, False),
    ],
)
def test_only_debian_ubuntu_and_their_children_get_packages(os_release: dict[str, str], installs: bool) -> None:
    assert _machine(os_release).installs_packages is installs


def test_a_debian_without_apt_gets_no_packages() -> None:
    assert not _machine({"ID": "debian"}, has_apt=False).installs_packages


@pytest.mark.parametrize(
    ("machine", "architecture"),
    [("x86_64", "amd64"), ("AMD64", "amd64"), ("aarch64", "arm64"), ("arm64", "arm64"), ("riscv64", "riscv64")],
)
def test_architecture_is_in_dockers_words(machine: str, architecture: str) -> None:
    assert _machine({"ID": "debian"}, machine=machine).architecture == architecture


def test_facts_come_from_their_fields() -> None:
    fields = {"ID": "debian", "VERSION_ID": "12", "VERSION_CODENAME": "bookworm", "PRETTY_NAME": "Debian 12"}
    found = _machine(fields)
    assert (found.distribution, found.version, found.codename, found.name) == ("debian", "12", "bookworm", "Debian 12")


def test_a_machine_without_a_name_is_called_by_its_system() -> None:
    assert _machine({}).name == "Linux"


@pytest.mark.parametrize(
    ("file", "inside"), [(".dockerenv", True), ("run/.containerenv", True), ("etc/hostname", False)]
)
def test_a_container_is_known_by_the_file_of_its_engine(tmp_path: Path, file: str, inside: bool) -> None:
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).touch()
    assert in_container(tmp_path) is inside
