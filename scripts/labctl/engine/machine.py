"""What this machine is: the facts that decide how the lab is set up on it."""

from __future__ import annotations

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from labctl.terminal.errors import LabError

# Docker's word for an architecture, from uname's.
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


@dataclass(frozen=True)
class Machine:
    """The facts; `this_machine()` reads them."""

    system: str  # "Linux", "Darwin", "Windows"
    distribution: str  # os-release's ID, "" where there is none
    family: frozenset[str]  # ID and ID_LIKE
    version: str
    codename: str
    name: str  # for people: "Debian GNU/Linux 12 (bookworm)"
    architecture: str  # as Docker says it: "amd64", "arm64"
    is_root: bool
    has_sudo: bool
    has_systemd: bool  # running, not merely installed
    has_apt: bool

    @property
    def installs_packages(self) -> bool:
        """Debian, Ubuntu and their children: the lab may install from the distribution's packages."""
        return self.has_apt and bool(self.family & {"debian", "ubuntu"})

    @property
    def shown_name(self) -> str:
        """For people: the distribution's name and version, "macOS" on a Mac."""
        return "macOS" if self.system == "Darwin" else self.name

    @property
    def may_become_root(self) -> bool:
        return self.is_root or self.has_sudo

    def as_root(self, command: list[str]) -> list[str]:
        """`command` as root: itself, or behind sudo, which asks for a password only on a terminal.

        :raises LabError: there is neither
        """
        if self.is_root:
            return command
        if not self.has_sudo:
            raise LabError(
                f"{' '.join(command[:3])} needs root, and this is uid {os.getuid()} without sudo",
                hint="run ./lab as root, or install sudo",
            )
        self.ask_for_root()
        return ["sudo", "-n", *command]

    def ask_for_root(self) -> None:
        """Have sudo ask for its password on a terminal, if it wants one.

        Now, and not when a command runs: the question would be lost under the live list.
        """
        if self.has_sudo and not self.is_root and sys.stdin.isatty():
            subprocess.run(["sudo", "--validate"], check=False)


def describe(os_release: Mapping[str, str], *, system: str, machine: str, has_apt: bool) -> Machine:
    """The facts from os-release's fields (https://www.freedesktop.org/software/systemd/man/os-release.html)."""
    distribution = os_release.get("ID", "")
    return Machine(
        system=system,
        distribution=distribution,
        family=frozenset({distribution, *os_release.get("ID_LIKE", "").split()} - {""}),
        version=os_release.get("VERSION_ID", ""),
        codename=os_release.get("VERSION_CODENAME", ""),
        name=os_release.get("PRETTY_NAME", "") or distribution or system,
        architecture=_ARCHITECTURES.get(machine.lower(), machine.lower()),
        is_root=hasattr(os, "geteuid") and os.geteuid() == 0,
        has_sudo=shutil.which("sudo") is not None,
        has_systemd=Path("/run/systemd/system").is_dir(),
        has_apt=has_apt,
    )


def in_container(root: Path = Path("/")) -> bool:
    """Whether this process is in a container of Docker or Podman, by the file that each puts there.

    Where the engine's socket is in it, the ports that the engine publishes on 127.0.0.1 are still the host's alone.
    """
    return any((root / file).exists() for file in (".dockerenv", "run/.containerenv"))


@cache
def this_machine() -> Machine:
    """The machine that runs this process, read once."""
    try:
        os_release = platform.freedesktop_os_release()
    except OSError:  # not Linux, or a very bare one
        os_release = {}
    return describe(
        os_release,
        system=platform.system(),
        machine=platform.machine(),
        has_apt=shutil.which("apt-get") is not None,
    )
