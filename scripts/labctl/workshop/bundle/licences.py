"""The licences in a bundle, as the packages state them: Python's from the wheels, Debian's from the images."""

from __future__ import annotations

import email
import re
import tarfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

import docker
from docker.errors import DockerException

from labctl.engine import throwaway

_UNSTATED = "not stated by the package"
# A line for each package: name, version, and the short names of its copyright file where that has Debian's form
# (debian.org/doc/packaging-manuals/copyright-format/1.0). A minimal image may come without such files.
_SCRIPT = r"""
dpkg-query --show --showformat='${Package} ${Version}\n' | while read -r package version; do
  file=/usr/share/doc/$package/copyright
  if [ -f "$file" ]; then
    names=$(sed -n 's/^License: *\([^ ].*\)$/\1/p' "$file" | sort -u | tr '\n' ';')
    echo "$package $version ${names:-see its copyright file}"
  else
    echo "$package $version "
  fi
done
"""


def of_wheels(folder: Path) -> dict[str, dict[str, str]]:
    """Name to version and licence of every distribution in a folder."""
    found = {}
    for path in sorted(folder.iterdir()):
        if metadata := _metadata(path):
            name, version, licence = metadata
            found[name] = {"version": version, "licence": licence}
    return found


def of_image(client: docker.DockerClient, image: str) -> dict[str, dict[str, str]]:
    """Name to version and licence of every Debian package of an image; empty where dpkg is not in it."""
    try:
        code, said = throwaway.run(client, image, ["sh", "-c", _SCRIPT], user="0")
    except DockerException:  # no shell
        return {}
    found = {}
    for line in said.splitlines() if code == 0 else ():
        package, version, licence = [*line.split(" ", 2), "", ""][:3]
        found[package] = {
            "version": version,
            "licence": licence.strip("; ") or "its copyright file is not in the image",
        }
    return found


def _metadata(path: Path) -> tuple[str, str, str] | None:
    """Name, version and licence: PEP 639's expression, else the field or the classifiers of before."""
    text = _text(path)
    if text is None:
        return None
    message = email.message_from_string(text)
    classifiers: Sequence[str] = message.get_all("Classifier") or []
    trove = [line.rpartition(" :: ")[2] for line in classifiers if line.startswith("License ::")]
    field = re.sub(r"\s+", " ", message.get("License") or "").strip()
    licence = message.get("License-Expression") or (field if 0 < len(field) <= 60 else "") or ", ".join(trove)
    return str(message["Name"]), str(message["Version"]), licence or _UNSTATED


def _text(path: Path) -> str | None:
    if path.suffix == ".whl":
        with zipfile.ZipFile(path) as wheel:
            name = next(name for name in wheel.namelist() if name.endswith(".dist-info/METADATA"))
            return wheel.read(name).decode("utf-8", errors="replace")
    if path.name.endswith(".tar.gz"):
        with tarfile.open(path) as source:
            for member in source:
                if (
                    member.name.count("/") == 1
                    and member.name.endswith("/PKG-INFO")
                    and (file := source.extractfile(member))
                ):
                    return file.read().decode("utf-8", errors="replace")
    return None
