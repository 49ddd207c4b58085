"""The settings of the lab: the type, the limits and the hint of each.

The containers (options that read these variables) and the command line on the host (which checks `.env` before it
starts anything) share this table.
"""

from __future__ import annotations

from dataclasses import dataclass

import click

from ipclab.accounting.message import HEADER_BYTES
from ipclab.contract.channel import Wait

MIN_MESSAGE_BYTES = 64
assert MIN_MESSAGE_BYTES >= HEADER_BYTES
MAX_RATE = 1_000_000
MAX_KEY = 2**31 - 1

RATE = click.IntRange(1, MAX_RATE)
SIZE = click.IntRange(MIN_MESSAGE_BYTES, 1 << 20)
BURST = click.IntRange(1, 1000)
KEY = click.IntRange(1, MAX_KEY)
PORT = click.IntRange(1, 65535)
CLASSES = click.IntRange(1, 8)
UID = click.IntRange(1, 2**31 - 2)  # 0 is root


@dataclass(frozen=True, slots=True)
class Setting:
    """One variable of `.env`: the type knows what is allowed, the hint what to do."""

    name: str
    type: click.ParamType[int]
    hint: str


@dataclass(frozen=True, slots=True)
class OnOff:
    """One variable of `.env` that is on or off."""

    name: str
    hint: str


SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("LAB_RATE", RATE, "messages per second of each pair, a whole number"),
        Setting("LAB_SIZE", SIZE, "bytes of each message, header included"),
        Setting("LAB_SYSV_MQ_TYPES", CLASSES, "types of messages; of several consumers each picks one"),
        Setting("LAB_POSIX_MQ_PRIORITIES", CLASSES, "priorities of messages; the highest comes out first"),
        Setting("LAB_RESPONDER_KEY", KEY, "the first of four keys in a row, for what the probes reach for"),
        Setting("LAB_PAGE_PORT", PORT, "a free port on 127.0.0.1"),
        Setting("LAB_UID", UID, "the user of the containers, any but root; its group stays that of the image"),
        Setting("LAB_PROMETHEUS_PORT", PORT, "a free port on 127.0.0.1"),
        Setting("LAB_GRAFANA_PORT", PORT, "a free port on 127.0.0.1"),
    )
}

# Where a pair meets is given in compose.yaml, by these options of its two commands; a variable there is a setting too.
ADDRESS_OPTIONS = {
    "--key": (KEY, "0 is IPC_PRIVATE, which no other process can find"),
    "--port": (PORT, "the port inside the containers; it need not be free on your machine"),
}


def of_address(name: str, option: str) -> Setting:
    """The setting of a variable that compose.yaml gives to one of `ADDRESS_OPTIONS`."""
    type_, hint = ADDRESS_OPTIONS[option]
    return Setting(name, type_, hint)


SWITCHES = {
    setting.name: setting
    for setting in (
        OnOff("LAB_RACE_LOCK", "whether the lock around shared words is taken: off shows lost updates and torn reads"),
        OnOff("LAB_APPEND_LOCK", "whether plain_file locks the file to append"),
        OnOff("LAB_FILE_FSYNC", "whether plain_file waits for the disk after each message"),
    )
}
ON_OFF = ("on", "off")
WAIT, WAITS = "LAB_WAIT", (Wait.BLOCK, Wait.SPIN)  # of the mechanisms that leave a choice


def check_burst(rate: int, burst: int) -> str | None:
    """The reason why so many messages cannot be due together at this rate, in one line; None if they can.

    A burst is due at least once a second, so every window of measurement has some.
    """
    return None if burst <= rate else f"{burst} messages due together is over the {rate} messages of a second"


def check_size(mechanism: str, size_bytes: int, max_message_bytes: int) -> str | None:
    """The reason why a mechanism cannot carry messages of this size, in one line; None if it can."""
    if size_bytes <= max_message_bytes:
        return None
    return f"{size_bytes} bytes is over the maximum of {mechanism}, {max_message_bytes} bytes"
