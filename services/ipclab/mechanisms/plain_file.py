"""A plain file: one appends, the other looks again and again. The baseline that the textbooks warn about.

Sources: open(2), write(2), flock(2), fsync(2). A file has no borders, no order between writers, no bound, and
wakes nobody. All of it has to be added: checked frames (`ipclab.framing`); flock(2) around "where is the end?
write there", without which (`lock=False`) two writers write over each other; a largest size; and a reader that
polls, 1 ms after the last message and up to 20 ms later. fsync(2) is for a crash of the machine, and slow;
what is written survives the writer in any case.

The reader shortens the file when it has read all of it and it is long, or nothing more comes. A full file
(16 MiB) is EAGAIN and a full volume ENOSPC; both are over when the reader has caught up.

Measured beside a FIFO (`./lab bench plain_file`, twice: 1 KiB, two CPUs of which others had up to 63 and 73 %, ext4,
medians of 5 runs): an append takes 1.7 to 2.6 times as long, and what the lock adds is less than what the runs
differ by; with fsync 18 to 273 times, as the disk pleases. A message alone arrives 52 to 78 times as late, because
the reader naps. Without the lock 1 message of 21,800 was lost.
"""

from __future__ import annotations

import os

from ipclab.channel import (
    Address,
    Communication,
    Direction,
    Kind,
    OnFull,
    Persistence,
    Sharing,
    Switch,
    Traits,
    Tuning,
    Wait,
)
from ipclab.mechanisms._file import MAX_MESSAGE_BYTES, SharedFile, open_file
from ipclab.mechanisms._file_reader import FileReceiver
from ipclab.mechanisms._file_writer import FileSender
from ipclab.mechanisms._words import FileWords, WordsInFile


class PlainFile(WordsInFile):
    """See the module."""

    make_words = FileWords
    traits = Traits(
        kind=Kind.BYTE_STREAM,
        ordered=True,
        reliable=True,
        max_message_bytes=MAX_MESSAGE_BYTES,
        on_full=OnFull.BLOCK,
        persistence=Persistence.FILESYSTEM,
        direction=Direction.ONE_WAY,
        communication=Communication.INDIRECT,
        many_senders=True,
        many_receivers=False,
        requires=frozenset({Sharing.VOLUME}),
        copies=3,  # into the page cache, out of it, out of the read buffer
        send_errnos=("EAGAIN", "ENOENT", "ENOSPC"),
        man_page="open(2)",
        waits=(Wait.POLL,),
        switches={Switch.FSYNC: False, Switch.LOCK: True, Switch.SYNC: True},
        sources={
            "kind": "write(2)",
            "ordered": "flock(2)",
            "reliable": "write(2)",
            "max_message_bytes": "ipclab.framing",
            "on_full": "ipclab.mechanisms._file_writer",
            "persistence": "inode(7)",
            "direction": "ipclab.mechanisms.plain_file",
            "communication": "path_resolution(7)",
            "many_senders": "flock(2)",
            "many_receivers": "ipclab.mechanisms._file",
            "requires": "path_resolution(7)",
            "copies": "write(2), read(2), and ipclab.framing",
            "waits": "ipclab.mechanisms.plain_file",
            "send_errnos": "open(2), write(2); EAGAIN: ipclab.mechanisms.plain_file",
        },
    )

    def __init__(self, *, lock: bool = True, fsync: bool = False) -> None:
        self.lock = lock
        self.fsync = fsync

    def tuned(self, tuning: Tuning) -> PlainFile:
        return PlainFile(**{switch: on for switch, on in tuning.switches.items() if switch is not Switch.SYNC})

    def create_receiver(self, address: Address) -> FileReceiver:
        return FileReceiver(open_file(address.path, SharedFile.adopt, locking=self.lock, flags=os.O_CREAT))

    def open_sender(self, address: Address) -> FileSender:
        return FileSender(open_file(address.path, SharedFile.expect, locking=self.lock), fsync=self.fsync)


MECHANISM = PlainFile()
