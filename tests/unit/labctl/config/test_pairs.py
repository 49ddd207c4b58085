"""Which pairs there are, and the names they go by."""

from __future__ import annotations

import click
import pytest

from ipclab import mechanisms
from ipclab.contract.channel import Sharing
from ipclab.runtime.settings import ADDRESS_OPTIONS, of_address
from labctl.config import compose_file, configuration
from labctl.config.configuration import Configuration
from labctl.config.paths import ENV_FILE
from labctl.config.values import did_you_mean
from labctl.terminal.errors import BadInput


def test_mechanisms_and_services_have_each_others_names() -> None:
    assert compose_file.services_of("sysv_shm") == ["sysv-shm-consumer", "sysv-shm-producer"]
    assert compose_file.mechanism_of("sysv-shm-producer") == "sysv_shm"
    assert [compose_file.mechanism_of(name) for name in ("holder", "prometheus", "-producer")] == [None] * 3


def test_a_pair_needs_both_sides() -> None:
    assert compose_file.pairs_in(["tcp-producer", "fifo-consumer", "fifo-producer", "holder"]) == ["fifo"]


def test_who_looks_at_a_namespace_comes_with_the_pairs_that_use_it() -> None:
    of_ipc = {Sharing.IPC_NAMESPACE, Sharing.DEV_SHM}  # Docker's `ipc:` shares both
    shared = {name for name in compose_file.declared() if mechanisms.load(name).traits.requires & of_ipc}
    assert shared
    for name in compose_file.declared():
        assert compose_file.observers_of([name]) == (["kernel"] if name in shared else [])
    assert compose_file.observers_of(compose_file.declared()) == ["kernel"]


def test_no_setting_of_a_pair_makes_the_holder_anew() -> None:
    """`LAB_RATE=1000 ./lab up sysv_shm` would otherwise take the namespace away from the other pairs in it."""
    holder = compose_file.service("holder")
    assert "${" in str(holder["image"])  # a new image is another lab
    of_the_lab = str({key: value for key, value in holder.items() if key not in ("image", "build")})
    assert "${" not in of_the_lab.replace("${LAB_UID}", "")  # another user is another lab


def test_every_declared_pair_has_a_mechanism_that_says_its_maximum() -> None:
    assert compose_file.declared()
    assert set(compose_file.declared()) <= set(mechanisms.names())
    assert all(compose_file.max_message_bytes(name) >= 64 for name in compose_file.declared())


def test_both_sides_of_a_pair_are_told_the_same_place() -> None:
    for point in compose_file.meeting_points():
        for service in compose_file.services_of(point.mechanism):
            command = compose_file.service(service)["command"]
            assert str(command[command.index(point.option) + 1]) == point.text


def test_a_key_or_a_port_is_a_number_or_a_setting_with_a_default() -> None:
    points = compose_file.meeting_points()
    assert {point.option for point in points} == set(ADDRESS_OPTIONS)
    defaults = configuration.read(ENV_FILE)
    for point in points:
        assert defaults.get(point.variable or "", point.text).isdecimal(), point
    assert {point.variable for point in points if point.variable} <= set(Configuration.load(environment={}).values)


@pytest.mark.parametrize(("option", "low", "high"), [("--key", 1, 2**31 - 1), ("--port", 1, 65535)])
def test_a_setting_of_an_address_has_the_limits_of_its_option(option: str, low: int, high: int) -> None:
    setting = of_address("LAB_IT", option)
    assert setting.name == "LAB_IT"
    assert len(setting.hint) > 10
    assert [setting.type.convert(str(value), None, None) for value in (low, high)] == [low, high]
    for value in (low - 1, high + 1):
        with pytest.raises(click.BadParameter):
            setting.type.convert(str(value), None, None)


def test_a_variable_of_any_name_is_refused_in_one_line() -> None:
    with pytest.raises(BadInput) as refused:
        Configuration.load(environment={"LAB_\x1b[2J\n\udcff": "1"})
    assert str(refused.value).startswith("unknown setting 'LAB_\\x1b[2J\\n\\udcff'=1 in the environment: expected one")


@pytest.mark.parametrize(
    ("value", "hint"),
    [("LAB_RATES", "did you mean LAB_RATE?"), ("lab_size", "did you mean LAB_SIZE?"), ("LAB_XYZZY", "no known name")],
)
def test_did_you_mean(value: str, hint: str) -> None:
    assert hint in did_you_mean(value, ["LAB_RATE", "LAB_SIZE"], prefix="LAB_")


@pytest.mark.parametrize(
    ("value", "hint"),
    [
        ("pipe", "did you mean anonymous_pipe?"),
        ("shm", "did you mean posix_shm or sysv_shm?"),
        ("MQ", "did you mean posix_mq or sysv_mq?"),
        ("file", "did you mean mmap_file or plain_file?"),
        ("tpc", "did you mean tcp?"),
        ("i", "no known name"),
        ("", "no known name"),
    ],
)
def test_a_part_of_a_name_is_answered_with_the_names_that_have_it(value: str, hint: str) -> None:
    assert hint in did_you_mean(value, compose_file.declared())


def test_the_container_of_a_student_is_no_side_of_a_pair() -> None:
    """It has the form of one."""
    assert compose_file.mechanism_of("student-producer") is None
