"""A program that fails says so in one line: which one, how, and its last words."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from labctl.terminal.errors import LabError
from labctl.terminal.progress import step
from labctl.terminal.subprocesses import run, side_by_side
from labctl.terminal.waiting import wait_until


def _python(code: str, **options: object) -> str:
    with step("a test") as current:
        return run([sys.executable, "-c", code], step=current, hint="do better", **options)  # type: ignore[arg-type]


def test_output_and_errors_are_returned_together() -> None:
    assert _python("import sys; print('one', flush=True); print('two', file=sys.stderr)") == "one\ntwo"


def test_a_failure_names_the_code_the_last_words_and_the_hint() -> None:
    with pytest.raises(LabError) as caught:
        _python("print('first\\nsecond\\nthird\\nfourth'); raise SystemExit(3)")
    assert "exit code 3: second | third | fourth" in str(caught.value)
    assert "hint: do better" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_disk_that_takes_nothing_is_named_with_its_errno_and_its_own_hint() -> None:
    """As the engine's builder says it, far above its last lines."""
    words = "failed to solve: write /var/lib/docker/overlay2/a/b: no space left on device"
    with pytest.raises(LabError) as caught:
        _python(f"print({words!r}); print('a\\nb\\nc\\nd'); raise SystemExit(17)")
    assert "exit code 17: b | c | d no space left on device (ENOSPC)" in str(caught.value)
    assert "docker builder prune" in caught.value.hint
    with pytest.raises(LabError, match=r"Read-only file system \(EROFS\)"):
        _python("print('mkdir: Read-only file system'); raise SystemExit(1)")


def test_a_silent_failure_says_that_it_was_silent() -> None:
    with pytest.raises(LabError, match="it printed nothing"):
        _python("raise SystemExit(1)")


def test_a_program_that_is_not_there_is_one_line_too() -> None:
    with step("a test") as current, pytest.raises(LabError, match="cannot be started: No such file"):
        run(["/no/such/program"], step=current, hint="install it")


def test_the_environment_is_added_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OLD", "1")
    code = "import os; print(os.environ['OLD'], os.environ['NEW'])"
    assert _python(code, environment={"NEW": "2"}) == "1 2"


def test_it_runs_where_it_is_told(tmp_path: Path) -> None:
    assert _python("import os; print(os.getcwd())", cwd=tmp_path) == str(tmp_path.resolve())


def test_bytes_that_are_no_text_do_no_harm() -> None:
    assert _python("import sys; sys.stdout.buffer.write(bytes([255, 10]))") == "\ufffd"


def test_jobs_run_at_the_same_time() -> None:
    """One after the other, they would wait for each other for ever."""
    both = threading.Barrier(2, timeout=10)
    side_by_side(lambda: _wait_at(both), lambda: _wait_at(both))


def test_an_error_comes_when_the_other_job_has_ended() -> None:
    failed, ended = threading.Event(), threading.Event()

    def fail() -> None:
        failed.set()
        raise LabError("no", hint="do better")

    def take_longer() -> None:
        failed.wait(10)
        _python("pass")
        ended.set()

    with pytest.raises(LabError, match="no"):
        side_by_side(fail, take_longer)
    assert ended.is_set()


def test_an_interrupt_ends_the_programs_of_all_jobs(tmp_path: Path) -> None:
    script = f"""
import signal, sys
from labctl.terminal.progress import step
from labctl.terminal.signals import raise_when_terminated
from labctl.terminal.subprocesses import run, side_by_side
raise_when_terminated()
def sleep(name):
    with step(name) as current:
        code = "import pathlib, sys, time; pathlib.Path(sys.argv[1]).touch(); time.sleep(600)"
        run([sys.executable, "-c", code, name], step=current, hint="")
side_by_side(lambda: sleep({str(tmp_path / "one")!r}), lambda: sleep({str(tmp_path / "two")!r}))
"""
    with subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True) as process:
        assert wait_until(lambda: len(list(tmp_path.iterdir())) == 2, timeout_s=20)
        process.send_signal(signal.SIGTERM)
        # It ends, and with it everything that has its standard error open.
        said = process.communicate(timeout=20)[1]
    assert "labctl.terminal.signals.Terminated" in said


def _wait_at(barrier: threading.Barrier) -> None:
    barrier.wait()
