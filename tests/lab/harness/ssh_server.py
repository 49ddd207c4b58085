"""An SSH server on the other machine: this one's sshd in the network namespace of that one, with keys of its own.

It leads to that machine's engine because its sessions have DOCKER_HOST (sshd_config(5), SetEnv). The client is this
machine's ssh with a configuration of the test's own, put before the user's by a directory on PATH.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lab.harness.machine import Machine
from lab.harness.stack import wait_until

PORT = 2222


def missing() -> str:
    """Why there can be none here; "" if there can."""
    absent = [program for program in ("sshd", "ssh", "ssh-keygen", "nsenter") if not shutil.which(program)]
    if absent:
        return f"no {', '.join(absent)} here"
    return "" if os.geteuid() == 0 else "entering another network namespace takes root"


@contextmanager
def serving(machine: Machine, folder: Path) -> Iterator[dict[str, str]]:
    """The environment in which `ssh root@ADDRESS` gets in; afterwards the server has ended."""
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(folder / name)], check=True)
    (folder / "sshd_config").write_text(
        f"ListenAddress {machine.address}:{PORT}\nHostKey {folder}/host\nAuthorizedKeysFile {folder}/user.pub\n"
        f"StrictModes no\nUsePAM no\nPidFile none\nSetEnv DOCKER_HOST={machine.url}\n"
    )
    (folder / "known").write_text(f"[{machine.address}]:{PORT} {(folder / 'host.pub').read_text()}")
    (folder / "config").write_text(
        f"Host other\n  HostName {machine.address}\n  Port {PORT}\nHost *\n  User root\n  IdentityFile {folder}/user\n"
        f"  UserKnownHostsFile {folder}/known\n"
    )
    wrapper = folder / "bin/ssh"
    wrapper.parent.mkdir()
    wrapper.write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/config "$@"\n')
    wrapper.chmod(0o755)
    environment = {**os.environ, "PATH": f"{wrapper.parent}:{os.environ['PATH']}"}
    Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
    machine.container.reload()
    enter = ["nsenter", f"--net=/proc/{machine.container.attrs['State']['Pid']}/ns/net"]
    server = subprocess.Popen([*enter, str(shutil.which("sshd")), "-D", "-e", "-f", str(folder / "sshd_config")])
    try:
        wait_until("the SSH server lets in", 10, lambda: _lets_in(environment))
        yield environment
    finally:
        server.terminate()
        server.wait()


def _lets_in(environment: dict[str, str]) -> bool:
    probe = ["ssh", "-o", "BatchMode=yes", "other", "true"]
    return subprocess.run(probe, env=environment, capture_output=True, check=False).returncode == 0
