"""What can be switched is refused where there is nothing to switch, by the registry and by the containers' command."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ipclab import mechanisms
from ipclab.contract.channel import Switch, Tuning
from ipclab.mechanisms.plain_file import PlainFile
from support.forked import run_module

REFUSED = [
    (name, switch)
    for name in mechanisms.names()
    for switch in Switch
    if switch not in mechanisms.load(name).traits.switches
]


def ipclab(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return run_module("ipclab", arguments, environment=environment, folder=Path.cwd())


@pytest.mark.parametrize(("name", "switch"), REFUSED)
@pytest.mark.parametrize("on", [True, False])
def test_what_a_mechanism_has_not_is_refused(name: str, switch: Switch, on: bool) -> None:
    with pytest.raises(
        mechanisms.NotOffered, match=f"{name} has no {switch.replace('_', ' ')}; those that have: "
    ) as refused:
        mechanisms.load(name, Tuning(switches={switch: on}))
    assert refused.value.choice == switch


@pytest.mark.parametrize("switch", Switch)
def test_every_switch_is_found_where_it_is(switch: Switch) -> None:
    owners = mechanisms.having(switch)
    assert owners == (
        ["plain_file"] if switch is not Switch.RACE_LOCK else ["mmap_file", "plain_file", "posix_shm", "sysv_shm"]
    )
    for name in owners:
        assert mechanisms.lacks(name, switch) == ""
        mechanisms.load(name, Tuning(switches={switch: False}))


@pytest.mark.parametrize("lock", [True, False])
@pytest.mark.parametrize("fsync", [True, False])
def test_plain_file_works_as_asked(lock: bool, fsync: bool) -> None:
    tuned = mechanisms.load(
        "plain_file", Tuning(switches={Switch.APPEND_LOCK: lock, Switch.FSYNC: fsync, Switch.RACE_LOCK: False})
    )
    assert isinstance(tuned, PlainFile)
    assert (tuned.lock, tuned.fsync) == (lock, fsync)


def test_plain_file_unasked_is_as_its_traits_say() -> None:
    untuned = mechanisms.load("plain_file", Tuning(switches={Switch.RACE_LOCK: False}))
    assert isinstance(untuned, PlainFile)
    switches = untuned.traits.switches
    assert (untuned.lock, untuned.fsync) == (switches[Switch.APPEND_LOCK], switches[Switch.FSYNC])


@pytest.mark.parametrize(
    ("arguments", "environment", "says"),
    [
        (["consumer", "fifo", "--no-race-lock"], {}, ["--race-lock", "fifo has no race lock", "sysv_shm"]),
        (["consumer", "tcp"], {"LAB_RACE_LOCK": "off"}, ["--race-lock", "tcp has no race lock", "sysv_shm"]),
        (["producer", "fifo", "--rate", "1", "--size", "64", "--fsync"], {}, ["--fsync", "plain_file"]),
        (
            ["producer", "sysv_shm", "--rate", "1", "--size", "64", "--no-append-lock"],
            {},
            ["--append-lock", "plain_file"],
        ),
        (["consumer", "plain_file"], {"LAB_APPEND_LOCK": "maybe"}, ["--append-lock", "maybe"]),
        (["lock", "fifo", "off"], {}, ["fifo has no race lock", "sysv_shm"]),
        (["lock", "sysv_shm", "maybe"], {}, ["maybe", "on", "off"]),
    ],
)
def test_a_container_refuses_it_in_one_line(arguments: list[str], environment: dict[str, str], says: list[str]) -> None:
    done = ipclab(*arguments, **environment)
    assert done.returncode == 2, done
    assert done.stdout == ""
    assert len(done.stderr.splitlines()) == 1, done.stderr
    for words in says:
        assert words in done.stderr
