from __future__ import annotations

import click
import pytest

from ipclab import mechanisms
from ipclab.accounting.message import HEADER_BYTES
from ipclab.runtime import settings
from ipclab.runtime.settings import SETTINGS, SWITCHES, check_size

LIMITS = {
    "LAB_RATE": (1, 1_000_000),
    "LAB_SIZE": (64, 1 << 20),
    "LAB_SYSV_MQ_TYPES": (1, 8),
    "LAB_POSIX_MQ_PRIORITIES": (1, 8),
    "LAB_RESPONDER_KEY": (1, 2**31 - 1),
    "LAB_PROMETHEUS_PORT": (1, 65535),
    "LAB_GRAFANA_PORT": (1, 65535),
    "LAB_PAGE_PORT": (1, 65535),
    "LAB_UID": (1, 2**31 - 2),
}


def test_what_is_on_or_off_has_a_hint_of_one_line() -> None:
    assert set(SWITCHES) == {"LAB_RACE_LOCK", "LAB_APPEND_LOCK", "LAB_FILE_FSYNC"}
    for name, setting in SWITCHES.items():
        assert setting.name == name
        assert len(setting.hint) > 10
        assert "\n" not in setting.hint


def convert(name: str, text: str) -> int:
    value = SETTINGS[name].type.convert(text, None, None)
    assert isinstance(value, int)
    return value


def test_every_setting_has_its_limits_here() -> None:
    assert set(SETTINGS) == set(LIMITS)
    assert all(setting.name == name for name, setting in SETTINGS.items())


@pytest.mark.parametrize(("name", "low", "high"), [(name, *limits) for name, limits in LIMITS.items()])
def test_the_limits_are_allowed_and_what_is_beyond_is_not(name: str, low: int, high: int) -> None:
    assert (convert(name, str(low)), convert(name, str(high))) == (low, high)
    for value in (low - 1, high + 1, -1, 10**30):
        with pytest.raises(click.BadParameter) as caught:
            convert(name, str(value))
        assert f"{value} is not in the range {low}<=x<={high}." in caught.value.message
        assert "\n" not in caught.value.message


@pytest.mark.parametrize("name", LIMITS)
@pytest.mark.parametrize("text", ["", " ", "fast", "1.5", "2e3", "0x10", "1,000", "--1", "1 2", "½", "nan", "1\n2"])
def test_what_is_no_whole_number_is_refused(name: str, text: str) -> None:
    with pytest.raises(click.BadParameter, match="is not a valid integer range"):
        convert(name, text)


@pytest.mark.parametrize("name", LIMITS)
def test_every_setting_has_a_hint_of_one_line(name: str) -> None:
    hint = SETTINGS[name].hint
    assert len(hint) > 10
    assert "\n" not in hint


def test_the_smallest_message_holds_its_header() -> None:
    assert HEADER_BYTES <= settings.MIN_MESSAGE_BYTES == 64


@pytest.mark.parametrize("mechanism", mechanisms.names())
def test_a_size_is_held_against_the_mechanisms_maximum(mechanism: str) -> None:
    largest = mechanisms.load(mechanism).traits.max_message_bytes
    assert check_size(mechanism, settings.MIN_MESSAGE_BYTES, largest) is None
    assert check_size(mechanism, largest, largest) is None
    problem = check_size(mechanism, largest + 1, largest)
    assert problem == f"{largest + 1} bytes is over the maximum of {mechanism}, {largest} bytes"


def test_every_mechanism_carries_the_default_load() -> None:
    sizes = [mechanisms.load(name).traits.max_message_bytes for name in mechanisms.names()]
    assert all(1024 <= size <= 1 << 20 for size in sizes)
    assert max(sizes) == 1 << 20  # as far as LAB_SIZE goes
