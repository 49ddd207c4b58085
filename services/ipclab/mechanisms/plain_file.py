"""A plain file: one appends, the other looks again and again. The baseline that the textbooks warn about.

Sources: open(2), write(2), flock(2), fsync(2). A file has no borders, no order between writers, no bound, and
wakes nobody. All of it has to be added: checked frames (`ipclab.building_blocks.framing`); flock(2) around "where is
the end? write there", without which (`lock=False`) two writers write over each other; a largest size; and a reader that
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

from ipclab.building_blocks.shared_file import MAX_MESSAGE_BYTES, SharedFile, open_file
from ipclab.building_blocks.shared_words import FileWords, WordsInFile
from ipclab.contract.channel import (
    Address,
    Communication,
    Direction,
    Fact,
    Kind,
    OnFull,
    Persistence,
    Sharing,
    Switch,
    Traits,
    Tuning,
    Wait,
)
from ipclab.mechanisms._file_reader import FileReceiver
from ipclab.mechanisms._file_writer import FileSender

_COPIES = Fact(
    3,  # into the page cache, out of it, out of the read buffer
    "write(2), read(2), and ipclab.building_blocks.framing",
    "2: into the page cache and out of it (write(2), read(2))",
)


class PlainFile(WordsInFile):
    """See the module."""

    make_words = FileWords
    traits = Traits(
        kind=Fact(Kind.BYTE_STREAM, "write(2)"),
        ordered=Fact(
            True,
            "flock(2), and ipclab.mechanisms._file_writer: every message is appended",
            "none: a writer writes where it likes, and what is there is overwritten (pwrite(2))",
        ),
        reliable=Fact(
            True,
            "flock(2), and ipclab.mechanisms._file_writer",
            "a file keeps what was written, until another writes over it (write(2))",
        ),
        max_message_bytes=Fact(
            MAX_MESSAGE_BYTES,
            "ipclab.building_blocks.framing",
            "no messages and no limit: a byte stream has no borders (write(2))",
        ),
        on_full=Fact(
            OnFull.BLOCK,
            "ipclab.mechanisms._file_writer",
            "fails with ENOSPC once the file system is full; no writer is made to wait (write(2))",
        ),
        persistence=Fact(Persistence.FILESYSTEM, "inode(7)"),
        direction=Fact(
            Direction.ONE_WAY,
            "ipclab.mechanisms.plain_file",
            "any: every process that may open the file may read and write it (open(2))",
        ),
        communication=Fact(Communication.INDIRECT, "path_resolution(7)"),
        many_senders=Fact(
            True,
            "flock(2), and ipclab.mechanisms._file_writer",
            "many may write one file; nothing keeps their writes apart (write(2))",
        ),
        many_receivers=Fact(
            False,
            "ipclab.building_blocks.shared_file",
            "many may read one file, and each reads all of it: reading takes nothing away (read(2))",
        ),
        requires=Fact(frozenset({Sharing.VOLUME}), "path_resolution(7)"),
        copies=_COPIES,
        copies_large=_COPIES,
        waits=Fact(
            (Wait.POLL,),
            "ipclab.mechanisms.plain_file",
            "none: read(2) at the end of a file returns 0 at once, and waits for nothing",
        ),
        send_errnos=Fact(
            ("EAGAIN", "ENOENT", "ENOSPC"),
            "open(2), write(2); EAGAIN: flock(2), and ipclab.mechanisms.plain_file",
            "EAGAIN is of the lock alone; a write to a regular file never is (open(2), O_NONBLOCK)",
        ),
        man_page="open(2)",
        switches={Switch.FSYNC: False, Switch.LOCK: True, Switch.SYNC: True},
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
