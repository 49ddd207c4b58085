"""One command at a time changes a lab: an advisory lock per project, flock(2).

The kernel gives the lock back when its process ends, however it ends; so no lock is ever stale. The file stays, and
says which command had the lock last. It is in /tmp and not in a clone: two clones may name the same project.
See docs/decisions/0036-lab-lock-and-ownership.md.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from labctl.config.json_document import INVALID, made_of
from labctl.config.paths import ROOT
from labctl.terminal.errors import LabError, printable

_FOLDER = Path("/tmp")  # not TMPDIR, which differs between the shells of one machine
_WAITS_FOR_S = 600
_EVERYONE = 0o666  # the next user of the same engine takes the same lock
_ON_BEHALF_OF = "LABCTL_LOCK_OF"  # the process that runs this script, and has the lock


@dataclass(frozen=True)
class Holder:
    """The command that has the lock."""

    command: str
    pid: int
    folder: str
    since: str  # wall clock of this machine, HH:MM:SS

    def __str__(self) -> str:
        elsewhere = "" if self.folder == str(ROOT) else f" in {self.folder}"
        return printable(f"{self.command}{elsewhere} (process {self.pid}, since {self.since})")


@contextmanager
def changing(project: str, command: str, *, waits_for_s: float = _WAITS_FOR_S) -> Iterator[None]:
    """Hold the lock of `project` while the block runs; `command` is named to the next one, which waits.

    A command in a script that the holder itself runs (`on_our_behalf`) does not wait.

    :raises LabError: another command has it for longer than `waits_for_s`, or its file cannot be opened
    """
    path = _FOLDER / f"ipclab-{project}.lock"
    descriptor = _open(path)
    try:
        if not (taken := _taken(descriptor)) and not _runs_us(_holder(descriptor)):
            _wait(descriptor, project, waits_for_s)
            taken = True
        if taken:
            _say_who(descriptor, command)
        yield
    finally:
        os.close(descriptor)


def on_our_behalf() -> dict[str, str]:
    """The environment of a script that this process runs while it has the lock."""
    return {_ON_BEHALF_OF: str(os.getpid())}


def _runs_us(holder: Holder | None) -> bool:
    return holder is not None and os.environ.get(_ON_BEHALF_OF) == str(holder.pid)


def _open(path: Path) -> int:
    """Without O_CREAT first: in /tmp the kernel refuses it for another user's file (fs.protected_regular, proc(5))."""
    flags = os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW
    try:
        with suppress(FileNotFoundError):
            return os.open(path, flags)
        descriptor = os.open(path, flags | os.O_CREAT, _EVERYONE)
        with suppress(PermissionError):  # made by another user in this very moment
            os.fchmod(descriptor, _EVERYONE)
    except OSError as error:
        raise LabError(
            f"the lock {path} cannot be opened: {error.strerror}",
            hint="two commands that change one lab at a time would break it; remove that file",
        ) from error
    return descriptor


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _wait(descriptor: int, project: str, waits_for_s: float) -> None:
    from labctl.terminal.progress import step
    from labctl.terminal.waiting import wait_until

    holder = _holder(descriptor)
    with step(f"Waiting for {holder or 'another command'}: one at a time changes {project}"):
        if not wait_until(lambda: _taken(descriptor), waits_for_s):
            holder = _holder(descriptor)
            raise LabError(
                f"{project} is being changed by {holder or 'another command'}, for more than {waits_for_s:.0f} s",
                hint=f"wait for it, or end it: kill {holder.pid}" if holder else "wait for it",
            )


def _say_who(descriptor: int, command: str) -> None:
    holder = Holder(command, os.getpid(), str(ROOT), time.strftime("%H:%M:%S"))
    os.ftruncate(descriptor, 0)
    os.pwrite(descriptor, json.dumps(asdict(holder)).encode(), 0)


def _holder(descriptor: int) -> Holder | None:
    """None in the moment between taking the lock and writing the name."""
    try:
        return made_of(Holder, json.loads(os.pread(descriptor, 4096, 0)))
    except INVALID:
        return None
