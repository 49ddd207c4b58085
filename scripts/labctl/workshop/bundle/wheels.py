"""The wheels of `requirements.lock` for several Pythons on one architecture, fetched by pip with the lock's hashes."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from labctl.terminal.progress import Step
from labctl.terminal.subprocesses import run

PYTHONS = ("3.11", "3.12", "3.13")  # of Debian 12, Ubuntu 24.04, Debian 13
_FROM_SOURCE = "sysv-ipc"  # its wheels lack semaphore timeouts: `./lab` builds it
_SOMETIMES_FROM_SOURCE = "posix-ipc"  # no wheel for the newest Python; the tests need a compiler anyway
_BUILD_TOOLS = ("pip", "setuptools", "wheel")  # of a .venv without ensurepip, and of what is built from source
_MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}
_GLIBC = (17, 24, 26, 27, 28, 31, 34, 35, 36)  # manylinux_2_N, PEP 600; Debian 12 has 2.36
_REQUIREMENT = re.compile(r"^([A-Za-z0-9_.-]+)==([^ ;\\]+)(?: *; *([^\\]+?))? *(?:\\)?$")
_HINT = "the registry of Python packages must answer; behind a proxy: HTTPS_PROXY, PIP_CERT, PIP_INDEX_URL (a mirror)"


def parse(lock: str) -> list[tuple[str, str, str, list[str]]]:
    """Name, version, marker and hashes of each requirement of a lock (`uv pip compile --generate-hashes`)."""
    found: list[tuple[str, str, str, list[str]]] = []
    for line in lock.splitlines():
        text = line.strip()
        if requirement := _REQUIREMENT.match(text):
            found.append((requirement[1], requirement[2], (requirement[3] or "").strip(), []))
        elif text.startswith("--hash=") and found:
            found[-1][3].append(text.removesuffix("\\").strip())
    return found


def environment_of(python: str, architecture: str) -> dict[str, str]:
    """The markers of a CPython on Linux (packaging.python.org, dependency specifiers)."""
    return {
        "implementation_name": "cpython",
        "implementation_version": f"{python}.0",
        "os_name": "posix",
        "platform_machine": _MACHINES.get(architecture, architecture),
        "platform_python_implementation": "CPython",
        "platform_system": "Linux",
        "python_full_version": f"{python}.0",
        "python_version": python,
        "sys_platform": "linux",
    }


def requirements(lock: str, markers: Mapping[str, str]) -> tuple[list[str], list[str]]:
    """The lines for pip of what applies there: those with wheels, and those that are built from source."""
    from pip._vendor.packaging.markers import Marker  # pip's own reading of a marker

    lines: list[str] = []
    sources: list[str] = []
    for name, version, marker, hashes in parse(lock):
        if not marker or Marker(marker).evaluate(dict(markers)):
            line = " ".join([f"{name}=={version}", *hashes])
            (sources if name == _FROM_SOURCE else lines).append(line)
    return lines, sources


def fetch(lock: Path, folder: Path, pythons: Sequence[str], architecture: str, current: Step) -> None:
    """Everything for these Pythons into `folder`; a file that serves several is there once.

    :raises LabError: pip cannot get something
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = lock.read_text(encoding="utf-8")
    machine = _MACHINES.get(architecture, architecture)
    platforms = [f"--platform=manylinux_2_{minor}_{machine}" for minor in _GLIBC]
    platforms += [f"--platform=manylinux2014_{machine}", f"--platform=linux_{machine}"]
    for python in pythons:
        wanted, sources = requirements(text, environment_of(python, architecture))
        wanted = [line for line in wanted if not _is_there(folder, line)]
        abi = f"cp{python.replace('.', '')}"
        where = ["--implementation=cp", f"--python-version={python}", f"--abi={abi}", "--abi=abi3", "--abi=none"]
        binary = ["--only-binary=:all:", *where, *platforms]
        either = [line for line in wanted if line.startswith(f"{_SOMETIMES_FROM_SOURCE}==")]
        _download([*binary, "--require-hashes"], [line for line in wanted if line not in either], folder, current)
        _download([*where, *platforms, "--require-hashes"], either, folder, current)
        _download(binary, _BUILD_TOOLS, folder, current)
    _download(["--require-hashes", "--no-binary=:all:"], sources, folder, current)


def _is_there(folder: Path, requirement: str) -> bool:
    """Whether a wheel for every Python 3 was fetched for another one: pip would ask the index again for each."""
    name, version = requirement.split(" ")[0].split("==")
    return any(folder.glob(f"{re.sub('[-_.]+', '_', name).lower()}-{version}-*py3-none-any.whl"))


def _download(options: Sequence[str], wanted: Sequence[str], folder: Path, current: Step) -> None:
    if not wanted:
        return
    listed = folder / ".requirements.txt"
    listed.write_text("\n".join(wanted) + "\n", encoding="utf-8")
    pip = [sys.executable, "-m", "pip", "download", "--no-deps", "--progress-bar=off", "--disable-pip-version-check"]
    try:
        run([*pip, *options, "--dest", str(folder), "--requirement", str(listed)], step=current, hint=_HINT)
    finally:
        listed.unlink()
