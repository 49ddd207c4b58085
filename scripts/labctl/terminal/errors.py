"""How the command line says that something went wrong.

Every failure a user can meet is a `LabError`; `labctl.main.main` prints it as one line and exits with its
code. A user never sees a traceback.
"""

from __future__ import annotations


def printable(text: str) -> str:
    """`text` for a terminal: what would end its line or move its cursor stands there as an escape sequence.

    Files, names of files and answers of other programs may have such characters, and an error repeats them.
    """
    return text if text.isprintable() else "".join(it if it.isprintable() else repr(it)[1:-1] for it in text)


class LabError(Exception):
    """Something failed: what was tried, with which value, and what to do next.

    `str(error)` is one line, and printable: the message, then the hint in parentheses.
    """

    exit_code = 1

    def __init__(self, message: str, *, hint: str) -> None:
        self.message, self.hint = printable(message), printable(hint)
        super().__init__(self.message, self.hint)

    def __str__(self) -> str:
        return f"{self.message} (hint: {self.hint})"


# What every program says of a disk that takes nothing, in any case of letters: strerror(3).
_OF_A_DISK = {
    "no space left on device": (
        "ENOSPC",
        "the disk is full, or has no inode left (df -h, df -i; docker system df): docker image prune and "
        "docker builder prune give back what no container uses",
    ),
    "disk quota exceeded": ("EDQUOT", "the quota of the disk is used up: remove something, or raise it"),
    "read-only file system": ("EROFS", "the disk is mounted read-only, often after an error of it: dmesg tells why"),
}


def failed(message: str, *, hint: str, said: str = "") -> LabError:
    """The error of a program or of the engine, with the errno and the hint of a disk that takes nothing.

    :param said: all that it said, where the message has only a part of it
    """
    for words, (name, of_the_disk) in _OF_A_DISK.items():
        if words in f"{message} {said}".lower():
            missing = "" if words in message.lower() else f"{words} "
            return LabError(f"{message} {missing}({name})", hint=of_the_disk)
    return LabError(message, hint=hint)


class Silent(LabError):
    """A server of the lab does not answer at its port of this machine."""


class BadInput(LabError):
    """The user asked for something that is not allowed; nothing was changed."""

    exit_code = 2
