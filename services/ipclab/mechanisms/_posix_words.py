"""Shared words in a POSIX shared memory object of their own (shm_open(3)), locked by flock(2) on its descriptor."""

from __future__ import annotations

from contextlib import suppress

from ipclab.building_blocks.kernel_objects import MODE, object_name, posix_opening
from ipclab.building_blocks.libraries import posix_ipc
from ipclab.building_blocks.shared_words import MappedWords, take
from ipclab.contract.channel import Address
from ipclab.contract.optional import Words


class WordsInObject:
    """What a mechanism whose channel is a POSIX object adds to share words: a second object beside it."""

    def create_words(self, address: Address, count: int) -> Words:
        return _open_words(address, count, posix_ipc.O_CREAT)

    def open_words(self, address: Address, count: int) -> Words:
        return _open_words(address, count, 0)


def _name(channel: str) -> str:
    return f"{channel}.words"


def _open_words(address: Address, count: int, flags: int) -> Words:
    name = _name(object_name(address))
    with posix_opening("shared words", name):
        descriptor = int(posix_ipc.SharedMemory(name, flags, mode=MODE).fd)
    return take(f"shared words {name}", descriptor, count, MappedWords, creates=bool(flags))


def remove_words(channel: str) -> None:
    """Take the words of the channel called so away. Never raises."""
    with suppress(posix_ipc.Error, OSError):
        posix_ipc.unlink_shared_memory(_name(channel))
