"""The distribution's packages: missing ones, available ones, and their installation, announced before it starts.

Packages of another Debian release come from the mirror that this machine uses.
"""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from labctl.engine.machine import Machine
from labctl.terminal.errors import LabError
from labctl.terminal.progress import say, step
from labctl.terminal.subprocesses import run

_APT_GET = [
    "env",
    "DEBIAN_FRONTEND=noninteractive",
    "NEEDRESTART_MODE=a",  # Ubuntu's needrestart asks otherwise
    "apt-get",
    "-q",
    "-o",
    "Dpkg::Use-Pty=0",
    "-o",
    "DPkg::Lock::Timeout=120",  # unattended-upgrades may be at work
]
_POLICY = Path("/usr/sbin/policy-rc.d")
# apt's own locks make one of two wait or fail: DPkg::Lock::Timeout is for the packages, not for the lists.
_ONE_AT_A_TIME = threading.RLock()
_HINT = "run `apt-get update` by hand and look at the sources in /etc/apt"


def candidate(package: str) -> str | None:
    """The version that would be installed, None if no source offers the package."""
    answer = _query(["apt-cache", "policy", package])
    return parse_candidate(answer)


def parse_candidate(policy: str) -> str | None:
    """The candidate's version out of `apt-cache policy PACKAGE`."""
    for line in policy.splitlines():
        key, _, value = line.strip().partition(": ")
        if key == "Candidate":
            return None if value == "(none)" else value
    return None


def missing(packages: list[str]) -> list[str]:
    """Those of `packages` that are not installed."""
    answer = _query(["dpkg-query", "--show", "--showformat", "${db:Status-Status} ${Package}\\n", *packages])
    installed = {line.split()[1] for line in answer.splitlines() if line.startswith("installed ")}
    return [package for package in packages if package not in installed]


def refresh_if_unknown(packages: list[str], machine: Machine) -> None:
    """Read the sources again if one of `packages` has no candidate; on a bare machine the lists are empty."""
    with _ONE_AT_A_TIME:
        if any(candidate(package) is None for package in packages):
            _update(machine)


def install(packages: list[str], *, why: str, machine: Machine) -> None:
    """Install what is missing of `packages`; says what and why before it does.

    :raises LabError: the machine has no apt, when nobody may become root, or when a package cannot be installed even
        from freshly read sources
    """
    with _ONE_AT_A_TIME:
        wanted = missing(packages)
        if wanted:
            _install(wanted, why, machine)


def _install(wanted: list[str], why: str, machine: Machine) -> None:
    command = machine.as_root([*_APT_GET, "install", "--yes", "--no-install-recommends", *wanted])
    say(f"{why}: installing {', '.join(wanted)} from {machine.name or 'the distribution'}'s packages")
    refresh_if_unknown(wanted, machine)
    with _no_service_starts(machine), step(f"Installing {', '.join(wanted)}") as current:
        try:
            run(command, step=current, hint=_HINT)
        except LabError:
            # The lists were stale (the mirror has newer versions, the old answer 404).
            _update(machine)
            run(command, step=current, hint=_HINT)


def _update(machine: Machine) -> None:
    """Read the sources; one that fails is no matter as long as what is needed comes from the others."""
    command = machine.as_root([*_APT_GET, "update"])
    with step("Reading the package sources") as current:
        try:
            run(command, step=current, hint=_HINT)
        except LabError as error:
            current.detail(error.message)


@contextmanager
def _no_service_starts(machine: Machine) -> Iterator[None]:
    """Keep packages from starting services where no systemd runs: their init scripts fail there, or half work.

    A policy-rc.d that says 101 is Debian's own way to ask for it (invoke-rc.d(8)); one that exists is respected.
    """
    if machine.has_systemd or _POLICY.exists():
        yield
        return
    script = f"printf '#!/bin/sh\\nexit 101\\n' > {_POLICY} && chmod 755 {_POLICY}"
    with step("Keeping packages from starting services") as current:
        run(machine.as_root(["sh", "-c", script]), step=current, hint=_HINT)
    try:
        yield
    finally:
        subprocess.run(machine.as_root(["rm", "-f", str(_POLICY)]), check=False)


def _query(command: list[str]) -> str:
    """What a package query prints; packages it does not know make it exit 1, which is an answer too."""
    try:
        return subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False).stdout
    except OSError as error:
        raise LabError(f"{command[0]} cannot be started: {error.strerror}", hint=_HINT) from error


RELEASE = "trixie"  # Debian 13, for the Compose plugin and the fallback images
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# One line per package index that apt reads, whatever the syntax of the file that names it.
_FORMAT = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)"


def sources(machine: Machine) -> list[str]:
    """apt's source lines for `RELEASE`, signed by Debian's keyring, from the mirrors this machine uses.

    Empty where it uses none of Debian's, as on Ubuntu; mmdebstrap then takes its own default.

    :raises LabError: apt cannot be asked
    """
    command = ["apt-get", "indextargets", "--format", _FORMAT, "Created-By: Packages"]
    try:
        answer = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=True).stdout
    except (OSError, subprocess.CalledProcessError) as error:
        raise LabError(f"apt-get does not tell its mirrors: {error}", hint="look at the sources in /etc/apt") from error
    lines = sources_from(answer, machine.codename)
    if not _KEYRING.exists():
        return lines
    return [line.replace("deb ", f"deb [signed-by={_KEYRING}] ", 1) for line in lines]


def sources_from(index_targets: str, codename: str) -> list[str]:
    """Source lines for `RELEASE` out of `apt-get indextargets` of a Debian named `codename`.

    Only what a container can reach too is taken (http, https), and only Debian's own main, updates and security.
    Empty when there is no such source of the main suite.
    """
    suites = {codename: RELEASE, f"{codename}-updates": f"{RELEASE}-updates"}
    suites[f"{codename}-security"] = f"{RELEASE}-security"
    found: dict[str, str] = {}
    for line in index_targets.splitlines():
        uri, suite, component, origin = [*line.split(" ", 3), "", "", "", ""][:4]
        wanted = origin == "Debian" and component == "main" and uri.startswith(("http://", "https://"))
        if wanted and suite in suites:
            found.setdefault(suite, f"deb {uri.rstrip('/')} {suites[suite]} main")
    return list(found.values()) if codename in found else []
