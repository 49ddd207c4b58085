"""What ends a command from outside: real signals to real processes."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from labctl.terminal.signals import held_back

REPOSITORY = Path(__file__).resolve().parents[4]
BEGIN = "import os, signal, time; from labctl.terminal.signals import Terminated, raise_when_terminated; "
WAIT = (
    BEGIN
    + """raise_when_terminated()
try:
    print("ready", flush=True)
    time.sleep(600)
except Terminated as signalled:
    os.kill(os.getpid(), signal.SIGTERM)
    print("cleared away after", signalled, signalled.number)
"""
)
TESTS = (
    BEGIN
    + """raise_when_terminated()
from labctl.commands import test
try:
    test.run_tool("pytest", "-sqp", "no:cacheprovider", {folder!r})
except Terminated as signalled:
    print(signalled)
"""
)
A_TEST = """
import time, pytest

@pytest.fixture
def stack():
    yield
    print("taken down", flush=True)

def test_it(stack):
    print("ready", flush=True)
    time.sleep(600)
"""


def ended(script: str, *sent: signal.Signals, ignored: signal.Signals | None = None) -> tuple[int, str, str]:
    """Exit code, output, and what was said, after `sent` came once it was ready."""
    with subprocess.Popen(
        [sys.executable, "-c", script],
        env={
            **os.environ,
            "PYTEST_ADDOPTS": "",  # those of this run are not of that one
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",  # they take most of its time
        },
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: _ignore(ignored),
    ) as process:
        assert process.stdout
        while process.stdout.readline() != "ready\n":
            assert process.poll() is None
        for number in sent:
            process.send_signal(number)
        try:
            process.wait(120)
        finally:
            process.kill()
        assert process.stderr
        return process.returncode, process.stdout.read(), process.stderr.read()


def _ignore(ignored: signal.Signals | None) -> None:
    """That signal and none else of these, whatever this run was told to ignore: nohup(1) may have begun it."""
    for number in (signal.SIGHUP, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN if number == ignored else signal.SIG_DFL)


@pytest.mark.parametrize("sent", [signal.SIGTERM, signal.SIGHUP])
def test_one_is_an_exception_and_the_next_does_not_disturb_the_clearing_away(sent: signal.Signals) -> None:
    assert ended(WAIT, sent) == (0, f"cleared away after {sent.name} {sent.value}\n", "")


def test_what_nohup_has_ignored_stays_ignored() -> None:
    sent = [signal.SIGHUP, signal.SIGTERM]
    assert ended(WAIT, *sent, ignored=signal.SIGHUP) == (0, f"cleared away after SIGTERM {signal.SIGTERM.value}\n", "")


def test_tests_take_down_what_they_have_brought_up(tmp_path: Path) -> None:
    (tmp_path / "test_it.py").write_text(A_TEST)
    code, output, _ = ended(TESTS.format(folder=str(tmp_path)), signal.SIGTERM)
    first, *_, last = output.splitlines()
    assert (code, first, last) == (0, "taken down", "SIGTERM")


@pytest.mark.parametrize("depth", [1, 2])
def test_what_is_held_back_comes_when_the_work_is_known(depth: int) -> None:
    before = signal.getsignal(signal.SIGINT)
    done = []

    def work(deeper: int) -> None:
        with held_back():
            if deeper:
                work(deeper - 1)
            else:
                signal.raise_signal(signal.SIGINT)
            done.append(deeper)

    with pytest.raises(KeyboardInterrupt):
        work(depth - 1)
    assert done == list(range(depth))
    assert signal.getsignal(signal.SIGINT) is before


def test_work_that_fails_is_not_hidden_and_a_signal_is_not_lost() -> None:
    def work() -> None:
        with held_back():
            signal.raise_signal(signal.SIGINT)
            raise ValueError("the work")

    with pytest.raises(KeyboardInterrupt) as caught:
        work()
    assert isinstance(caught.value.__context__, ValueError)
