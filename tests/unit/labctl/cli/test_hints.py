"""A hint that names a command is not itself refused: following it leads on, not into the next refusal."""

from __future__ import annotations

import os
import re
import shlex
from pathlib import Path

import pytest

from labctl.config.configuration import SHARED
from labctl.config.paths import ROOT
from labctl.engine import engine
from labctl.lab import ports
from labctl.main import main
from labctl.terminal.errors import LabError
from support.launcher import OWN_PROJECT

_ACCEPTED = "nothing is wrong with what was asked"
_COMMAND = re.compile(r"(?:LAB_\w+=\S+ )*\./lab [^(),;:]+")
# What is refused, and begins with variables where these are what is wrong.
REFUSED = [
    "LAB_SIZE=20000 ./lab up",
    "LAB_SIZE=20000 ./lab up sysv_mq fifo",
    "LAB_SIZE=100000 ./lab up",
    "LAB_SIZE=20000 ./lab swarm up",
    "./lab load fifo --reset --rate 5",
    "./lab load sysv_mq --size 9000",
    "./lab load sysv_mq --size 9000 --reset",
    "./lab load fifo",
    "./lab lock fifo off",
    "./lab lock sysv_shm",
    "./lab lock sysv_shm on --reset",
    "./lab sync sysv_shm off",
    "./lab place tcp",
    "./lab place sysv_mq shared_volume --back",
    "./lab place posix_shm",
    "./lab status fifo --kernel",
]


@pytest.fixture(autouse=True)
def no_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    """What gets as far as the engine was not refused."""

    def stop(*_: object, **__: object) -> None:
        raise LabError(_ACCEPTED, hint="go on")

    monkeypatch.setattr(engine, "connect", stop)
    monkeypatch.setattr("labctl.commands.up.make_ready", stop)
    monkeypatch.setattr(ports, "check_free", lambda _: None)
    for name in [name for name in os.environ if name.startswith("LAB_")]:
        monkeypatch.delenv(name)
    for name, value in OWN_PROJECT.items():
        monkeypatch.setenv(name, value)


def answer(command: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    """The exit code, and the one line."""
    *variables, words = re.split(r" (?=LAB_|\./lab)", command)
    with pytest.MonkeyPatch.context() as patch:
        for variable in variables:
            patch.setenv(*variable.split("=", 1))
        code = main(shlex.split(words)[1:])
    return code, capsys.readouterr().err


@pytest.mark.parametrize("refused", REFUSED)
def test_a_command_in_a_hint_is_not_refused(refused: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, said = answer(refused, capsys)
    assert code == 2, said
    named = _COMMAND.findall(said.partition("(hint: ")[2])
    assert named, said
    for command in named:
        again, then = answer(command.strip(), capsys)
        helps = command.split()[-1] == "--help"
        assert (again, _ACCEPTED in then) == ((0, False) if helps else (1, True)), f"{command}: {then}"


def test_a_size_in_a_hint_fits_every_pair(capsys: pytest.CaptureFixture[str]) -> None:
    _, said = answer("LAB_SIZE=20000 ./lab up", capsys)
    (size,) = set(re.findall(r"hint: (LAB_SIZE=\d+)", said))
    code, then = answer(f"{size} ./lab up", capsys)
    assert (code, _ACCEPTED in then) == (1, True), then


@pytest.mark.parametrize("count", [1, 2])
def test_cpus_in_a_hint_are_there(
    count: int, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: count)
    _, said = answer("LAB_CPUS=9 ./lab up", capsys)
    for cpus in re.findall(r"(\d(?:,\d)*) (?:is|are)", said.partition("(hint: ")[2]):
        code, then = answer(f"LAB_CPUS={cpus} ./lab up", capsys)
        assert (code, _ACCEPTED in then) == (1, True), then


def test_what_a_consumer_hints_to_is_not_refused_by_the_next_command(capsys: pytest.CaptureFixture[str]) -> None:
    """A consumer that is not alone says which variable Compose needs; whoever exports it goes on using ./lab."""
    hinted = {name for path in (ROOT / "services" / "ipclab").rglob("*.py") for name in _shared_in(path)}
    assert hinted == set(SHARED)
    for name in hinted:
        code, said = answer(f"{name}=1 ./lab up sysv_mq posix_mq", capsys)
        assert (code, _ACCEPTED in said) == (1, True), said


def _shared_in(path: Path) -> list[str]:
    return re.findall(r"LAB_\w+_SHARED", path.read_text(encoding="utf-8"))
