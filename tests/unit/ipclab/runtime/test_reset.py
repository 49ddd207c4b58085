"""An endpoint that is told to begin anew: real processes, which replace themselves."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ipclab.runtime.lifecycle import Stop
from ipclab.runtime.reset import GO, ORDER, PREPARE, Reset, forget, forgotten, order

_WITHIN_S = 30
_LIFE = textwrap.dedent(
    """
    import logging, sys, time
    from pathlib import Path
    from ipclab.runtime.lifecycle import Stop
    from ipclab.runtime.reset import Reset
    logging.basicConfig(level=logging.INFO, stream=sys.stdout, format="%(message)s")
    folders = [Path(argument) for argument in sys.argv[1:]]
    stop = Stop()
    stop.on_signals()
    reset = Reset(folders, stop)
    print("alive", sorted(path.name for folder in folders for path in folder.iterdir()), flush=True)
    while not stop.requested:
        reset.check()
        time.sleep(0.01)
    if stop.begin_anew:
        reset.carry_out()
    """
)


@pytest.fixture
def state(tmp_path: Path) -> Path:
    folder = tmp_path / "state"
    folder.mkdir()
    (folder / ".ipclab").touch()
    (folder / "producer.ledger").write_bytes(b"counts")
    (folder / "load.json").write_text("{}")
    return folder


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    folder = tmp_path / "ledger"
    (folder / "consumer").mkdir(parents=True)
    (folder / "consumer" / "7").write_bytes(b"notes")
    return folder


@pytest.fixture
def life(state: Path, ledger: Path) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", _LIFE, str(state), str(ledger)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as process:
        yield process
        if process.poll() is None:
            process.kill()


def line(life: subprocess.Popen[str]) -> str:
    assert life.stdout is not None
    return life.stdout.readline().strip()


def tell(state: Path, word: str) -> None:
    spare = state.with_name("order")
    spare.write_bytes(order(word, "7.5"))
    spare.replace(state / ORDER)


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + _WITHIN_S
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_it_forgets_waits_for_the_word_and_begins_anew_as_the_same_process(
    life: subprocess.Popen[str], state: Path, ledger: Path
) -> None:
    assert line(life) == "alive ['.ipclab', 'consumer', 'load.json', 'producer.ledger']"
    tell(state, PREPARE)
    assert line(life) == "stopping: reset"
    assert line(life) == forgotten("7.5")
    assert sorted(path.name for path in state.iterdir()) == [".ipclab", ORDER]
    assert list(ledger.iterdir()) == []
    tell(state, GO)
    assert line(life) == "alive ['.ipclab']"
    assert life.poll() is None


def test_an_order_to_go_is_followed_at_once(life: subprocess.Popen[str], state: Path) -> None:
    line(life)
    tell(state, GO)
    assert [line(life) for _ in range(3)] == ["stopping: reset", forgotten("7.5"), "alive ['.ipclab']"]


def test_a_running_timer_does_not_end_the_new_process(state: Path) -> None:
    """As in a consumer of a queue, which is told to go at once: execve(2) keeps ITIMER_REAL and drops its handler."""
    ringing = _LIFE.replace(
        "    reset.carry_out()",
        "    from ipclab.linux.alarm import ALARM\n    ALARM.limit(0.3, time.monotonic() + 0.3)\n    reset.carry_out()",
    )
    command = [sys.executable, "-c", f"{ringing}print('ended')", str(state)]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as life:
        assert line(life).startswith("alive")
        tell(state, GO)
        assert [line(life) for _ in range(3)] == ["stopping: reset", forgotten("7.5"), "alive ['.ipclab']"]
        with pytest.raises(subprocess.TimeoutExpired):
            life.wait(1)
        life.terminate()
        assert life.wait(_WITHIN_S) == 0


def test_a_container_that_is_stopped_meanwhile_ends(life: subprocess.Popen[str], state: Path) -> None:
    line(life)
    tell(state, PREPARE)
    wait_until(lambda: not (state / "producer.ledger").exists())
    life.send_signal(signal.SIGTERM)
    assert life.wait(_WITHIN_S) == 0
    assert not (state / ORDER).exists()


def test_an_order_of_an_earlier_life_is_not_followed(state: Path) -> None:
    tell(state, GO)
    stop = Stop()
    reset = Reset([state], stop)
    reset.check()
    assert not stop.requested
    assert (state / "producer.ledger").exists()


def test_what_marks_a_volume_as_the_labs_is_not_forgotten(state: Path) -> None:
    forget(state)
    assert [path.name for path in state.iterdir()] == [".ipclab"]
