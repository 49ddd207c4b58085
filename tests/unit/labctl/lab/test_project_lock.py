"""One command at a time changes a lab; real processes and the kernel's own locks."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from labctl.config.paths import ROOT
from labctl.lab import project_lock
from labctl.terminal.errors import LabError
from labctl.workshop.exercise import script

_HOLD = textwrap.dedent(
    """
    import sys
    from pathlib import Path
    from labctl.lab import project_lock
    project_lock._FOLDER = Path(sys.argv[1])
    with project_lock.changing("lab", "./lab up"):
        print("held", flush=True)
        sys.stdin.readline()
    """
)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(project_lock, "_FOLDER", tmp_path)
    return tmp_path


@pytest.fixture
def holder(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has the lock until it is told a line, or dies."""
    path = {"PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(
        [sys.executable, "-c", _HOLD, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, **path},
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        yield process
        if process.poll() is None:
            process.kill()


def test_the_second_is_told_who_has_it(holder: subprocess.Popen[str]) -> None:
    with pytest.raises(LabError) as refused, project_lock.changing("lab", "./lab down", waits_for_s=0.2):
        pytest.fail("two had it")
    assert f"./lab up (process {holder.pid}, since " in refused.value.message
    assert f"kill {holder.pid}" in refused.value.hint
    assert refused.value.exit_code == 1


@pytest.mark.parametrize("killed", [False, True])
def test_the_second_gets_it_when_the_first_ends_in_whatever_way(holder: subprocess.Popen[str], killed: bool) -> None:
    if killed:
        holder.send_signal(signal.SIGKILL)
        holder.wait()
    else:
        assert holder.stdin is not None
        holder.stdin.write("\n")
        holder.stdin.flush()
    with project_lock.changing("lab", "./lab down", waits_for_s=60):
        pass


@pytest.mark.usefixtures("holder")
def test_another_project_has_a_lock_of_its_own() -> None:
    with project_lock.changing("other", "./lab up", waits_for_s=0.1):
        pass


def test_a_command_in_a_script_of_the_holder_does_not_wait(
    holder: subprocess.Popen[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`./lab exercise start 18` runs a script with `./lab place`, which waited for it in vain."""
    monkeypatch.setenv("LABCTL_LOCK_OF", str(holder.pid))
    with project_lock.changing("lab", "./lab place", waits_for_s=0.1):
        pass
    assert f'"pid": {holder.pid}' in (folder / "ipclab-lab.lock").read_text()
    monkeypatch.setenv("LABCTL_LOCK_OF", str(os.getpid()))
    with pytest.raises(LabError), project_lock.changing("lab", "./lab place", waits_for_s=0.1):
        pytest.fail("the lock is another process's")


def test_a_script_has_the_lock_of_the_command_that_runs_it(folder: Path, tmp_path: Path) -> None:
    assert folder.is_dir()
    python = f"import os, sys; sys.path[:0] = {sys.path!r}; from pathlib import Path"
    nested = "from labctl.lab import project_lock as it; it._FOLDER = Path(os.environ['EX_LOCKS'])"
    body = "with it.changing('lab', 'nested', waits_for_s=0.1): Path(os.environ['EX_LOCKS'], 'ran').touch()"
    run = tmp_path / "apply.sh"
    (tmp_path / "nested.py").write_text("\n".join((python, nested, body)))
    run.write_text(f"exec {sys.executable} {tmp_path / 'nested.py'}\n")
    with project_lock.changing("lab", "./lab exercise start 18"):
        script.run(run, "lab", {"locks": str(folder)})
    assert (folder / "ran").exists()


def test_a_program_that_a_command_starts_does_not_keep_the_lock(folder: Path) -> None:
    """`./lab up` starts a Docker Engine, which outlives it."""
    assert folder.is_dir()
    with project_lock.changing("lab", "./lab up"):
        daemon = subprocess.Popen(["sleep", "60"])
    try:
        with project_lock.changing("lab", "./lab down", waits_for_s=0.1):
            pass
    finally:
        daemon.kill()
        daemon.wait()


def test_the_next_user_can_take_it_too(folder: Path) -> None:
    with project_lock.changing("lab", "./lab up"):
        pass
    assert (folder / "ipclab-lab.lock").stat().st_mode & 0o777 == 0o666


def test_a_link_in_its_place_is_not_followed(folder: Path) -> None:
    victim = folder / "victim"
    victim.write_text("precious")
    (folder / "ipclab-lab.lock").symlink_to(victim)
    with pytest.raises(LabError, match="cannot be opened"), project_lock.changing("lab", "./lab up"):
        pytest.fail("a link was followed")
    assert victim.read_text() == "precious"


def test_a_holder_in_another_folder_is_named_with_it() -> None:
    here = project_lock.Holder("./lab up", 7, str(ROOT), "12:00:00")
    there = project_lock.Holder("./lab up", 7, "/elsewhere", "12:00:00")
    assert str(here) == "./lab up (process 7, since 12:00:00)"
    assert str(there) == "./lab up in /elsewhere (process 7, since 12:00:00)"


def test_a_holder_cannot_move_the_cursor_of_who_waits() -> None:
    """Every user of this machine can write to the file of the lock."""
    assert str(project_lock.Holder("\x1b[2J\n", 7, str(ROOT), "12:00")) == "\\x1b[2J\\n (process 7, since 12:00)"
