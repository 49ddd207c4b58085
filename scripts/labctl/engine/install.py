"""Install the Docker Engine from the distribution's packages, and start the one that is installed."""

from __future__ import annotations

import os
import pwd
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from labctl.engine import packages
from labctl.engine.machine import Machine
from labctl.terminal.errors import LabError
from labctl.terminal.progress import Step, say, step
from labctl.terminal.subprocesses import run
from labctl.terminal.waiting import wait_until

# Where a distribution puts daemons; a user's PATH often lacks the sbin ones, and dockerd needs iptables there.
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_LOG = Path("/var/log/ipclab-dockerd.log")
_PIDFILE = Path("/var/run/docker.pid")
_SOCKET = Path("/var/run/docker.sock")
_READY_WITHIN_S = 60.0
_ALIVE_AFTER_S = 3.0
_INSTALL_HINT = "install Docker Engine 20.10 or newer and run this again: https://docs.docker.com/engine/install"
_LOG_LINES = 10


def socket_is_forbidden() -> bool:
    """Whether an engine's socket is there, but not for this user."""
    return _SOCKET.exists() and not os.access(_SOCKET, os.R_OK | os.W_OK)


def is_missing() -> bool:
    """Whether no engine is installed."""
    return _dockerd() is None


def install(machine: Machine) -> None:
    """Install the engine.

    :raises LabError: the lab may not install, and when the packages do not
    """
    if not machine.installs_packages or not machine.may_become_root:
        needs = "is no Debian or Ubuntu" if not machine.installs_packages else "gives neither root nor sudo"
        raise LabError(
            f"no Docker Engine runs or is installed, and {machine.name}, uid {os.getuid()}, {needs}: "
            "the lab cannot install one",
            hint=_INSTALL_HINT,
        )
    wanted = ["docker.io", "iptables", "ca-certificates"]  # the last, or no registry is trusted
    packages.refresh_if_unknown(wanted, machine)
    if shutil.which("docker") is None and packages.candidate("docker-cli"):
        wanted.append("docker-cli")  # Debian 13 took the command out of docker.io
    packages.install(wanted, why="No Docker Engine is installed", machine=machine)


def start(machine: Machine, connect: Callable[[], object]) -> None:
    """Start the installed engine, by systemd where it runs and directly elsewhere, and wait until it answers.

    :raises LabError: with the last lines of its log when it does not
    """
    if not machine.may_become_root:
        raise LabError(
            f"the Docker Engine is installed but does not run, and uid {os.getuid()} has no sudo to start it",
            hint="ask the administrator for `systemctl start docker`, or run ./lab as root",
        )
    if machine.has_systemd:
        command = machine.as_root(["systemctl", "start", "docker"])
    else:
        daemon = shlex.quote(_dockerd() or "dockerd")
        # setsid: it outlives this process and its terminal.
        script = f"PATH={_PATH} setsid {daemon} </dev/null >>{_LOG} 2>&1 &"
        command = machine.as_root(["sh", "-c", script])
    with step("Starting the Docker Engine") as current:
        # One that is starting already, for another ./lab, only needs to be waited for.
        if machine.has_systemd or not _is_alive():
            run(command, step=current, hint=_log_hint(machine))
        _wait_until_ready(machine, connect, current)


def join_docker_group(machine: Machine) -> None:
    """Give the user the engine just installed for them, and run this same command again with that right.

    Only a new login sees a new group; sg(1) does too. Does not return when it succeeds.
    """
    user = pwd.getpwuid(os.getuid()).pw_name
    say(f"{user} needs no sudo once in the group docker (its members are as good as root)")
    with step(f"Adding {user} to the group docker") as current:
        hint = f"sudo usermod -aG docker {user}, log in again, then ./lab up"
        run(machine.as_root(["usermod", "-aG", "docker", user]), step=current, hint=hint)
    if shutil.which("sg") is None:
        raise LabError(f"{user} is in the group docker from the next login on", hint="log in again, then ./lab up")
    os.execvp("sg", ["sg", "docker", "-c", shlex.join([sys.executable, *sys.orig_argv[1:]])])


def _dockerd() -> str | None:
    return shutil.which("dockerd", path=f"{os.environ.get('PATH', '')}:{_PATH}")


def _wait_until_ready(machine: Machine, connect: Callable[[], object], current: Step) -> None:
    """Until the engine answers, or refuses this user, which is an answer too."""

    def look() -> str:
        if socket_is_forbidden():
            return "answers"
        try:
            connect()
        except LabError as error:
            current.detail(error.message)
        else:
            return "answers"
        may_come = machine.has_systemd or current.elapsed_s <= _ALIVE_AFTER_S or _is_alive()
        return "" if may_come else "ended"

    if wait_until(look, _READY_WITHIN_S, every_s=0.2) == "answers":
        return
    lines = [] if machine.has_systemd else _log_lines()
    for line in lines:
        say(f"  | {line}")
    reason = next((line for line in reversed(lines) if "failed to start daemon" in line), "no reason in its log")
    raise LabError(
        f"the Docker Engine did not answer within {current.elapsed_s:.0f} s: {reason.strip()}",
        hint=_log_hint(machine),
    )


def _is_alive() -> bool:
    """Whether the process dockerd wrote down as its own is there, and still dockerd."""
    try:
        pid = int(_PIDFILE.read_text(encoding="utf-8"))
        return Path(f"/proc/{pid}/comm").read_text(encoding="utf-8").strip() == "dockerd"
    except (OSError, ValueError):
        return False


def _log_lines() -> list[str]:
    try:
        return _LOG.read_text(encoding="utf-8", errors="replace").splitlines()[-_LOG_LINES:]
    except OSError:
        return []


def _log_hint(machine: Machine) -> str:
    return "journalctl -u docker -n 50" if machine.has_systemd else f"read {_LOG}"
