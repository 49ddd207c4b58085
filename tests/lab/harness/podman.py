"""Podman for the tests: installed as the lab installs Docker on a bare machine, or a skip that says why not."""

from __future__ import annotations

import os
import shutil
import subprocess

import pytest

from labctl.clusters.kube.node import TOOLS

_PROGRAMS = ("podman", "runc", "ip", "nsenter")
_APT = ["apt-get", "-q", "-y", "-o", "DPkg::Lock::Timeout=120"]


def need_podman() -> None:
    """The programs of `./lab kube up`, or a skip."""
    if os.geteuid() != 0:
        pytest.skip("./lab kube up needs root")
    if absent := [name for name in _PROGRAMS if shutil.which(name) is None]:
        if shutil.which("apt-get") is None:
            pytest.skip(f"no {', '.join(absent)}, and no apt-get to install them")
        packages = [*TOOLS, "runc", "iproute2"]
        environment = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        for command in (["update"], ["install", "--no-install-recommends", *packages]):
            done = subprocess.run([*_APT, *command], env=environment, capture_output=True, text=True, check=False)
            if done.returncode:
                pytest.skip(f"apt-get {command[0]} failed: {done.stderr.strip().splitlines()[-1:]}")
