"""Where this machine gets Debian from, so that packages of another Debian release come from the same place."""

from __future__ import annotations

import subprocess
from pathlib import Path

from labctl.machine import Machine
from labctl.terminal.errors import LabError

RELEASE = "trixie"  # Debian 13, for the Compose plugin and the fallback images
_KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
# One line per package index that apt reads, whatever the syntax of the file that names it.
_FORMAT = "$(REPO_URI) $(RELEASE) $(COMPONENT) $(ORIGIN)"


def sources(machine: Machine) -> list[str]:
    """apt's source lines for `RELEASE`, signed by Debian's keyring, from the mirrors this machine uses.

    Empty where it uses none of Debian's, as on Ubuntu; mmdebstrap then takes its own default.
    Raises LabError when apt cannot be asked.
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
