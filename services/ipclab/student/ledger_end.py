"""The ledger that a student's consumer hands each message to: one datagram a message, over a Unix socket.

A datagram has borders (unix(7)): what arrives is what the student's program took for a message. So the lab's checker
sees the framing of the student and nothing else. The kernel loses no datagram of a Unix socket; a full one blocks.
"""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

from ipclab.accounting import message
from ipclab.accounting.checker import Checker
from ipclab.accounting.message import CorruptMessage
from ipclab.building_blocks.message_size import MAX_MESSAGE_BYTES


def listen(path: Path) -> socket.socket:
    """A new socket of that name; an old one is removed.

    :raises OSError: it cannot be made
    """
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(path))
    return listener


def account(listener: socket.socket, checker: Checker, stopped: Callable[[], bool], tick_s: float) -> None:
    """Enter what arrives until `stopped`, which is asked once in `tick_s` seconds at least."""
    buffer = memoryview(bytearray(MAX_MESSAGE_BYTES))
    listener.settimeout(tick_s)
    while not stopped():
        try:
            length = listener.recv_into(buffer)
        except TimeoutError:
            continue
        try:
            header = message.parse(buffer[:length])
        except CorruptMessage:
            checker.corrupt()
        else:
            checker.account(header.producer, header.epoch, header.sequence)
