"""The error vocabulary of every channel.

Each error says whether the message may still have been delivered, because the loops decide by that:
a message that surely did not get through is sent again under the same sequence number, a message
that may have got through is not (it would be a duplicate); if it was lost, the consumer sees the gap.
"""

from __future__ import annotations

import errno

# Instead of an errno, where every system call succeeded and the lab itself found that it cannot go on.
FULL = "full"
EMPTY = "empty"
NOT_READY = "not ready"
REMOVED = "removed"
DAMAGED = "damaged"
BORROWED = "borrowed"
NOT_BORROWED = "not borrowed"
NOT_LOANED = "not loaned"
IN_USE = "in use"
GONE = "gone"
NO_ANSWER = "no answer"
WRONG_ANSWER = "wrong answer"
NOT_TOLD = "address not told"

# Hints for errors that no retry mends; the containers run as user 10001.
_HINTS = {
    "EROFS": "the volume is mounted read-only: mount it read-write",
    "EACCES": "it belongs to another user (after another LAB_UID: ./lab down; ls -ln, ipcs: remove it, or run as its "
    "owner), or SELinux forbids it to the same one (ls -Z; ausearch -m AVC -ts recent; label a mounted folder with :z)",
    "ENODEV": "its filesystem has no shared mappings (9p, some of FUSE): put the volume on ext4, XFS or tmpfs",
    "EPERM": "it belongs to another user: ls -ln, ipcs; remove it, or run as its owner",
    "ENOSPC": "no space or no inode is left there (df, df -i): remove something, or make it larger (the volume; "
    "shm_size of /dev/shm; ipcs -l)",
    "EMFILE": "the user's POSIX queues have used up RLIMIT_MSGQUEUE, which counts over all containers (ulimit -q; "
    "819,200 bytes are nine queues of a pair): ./lab down in another lab, or another LAB_UID here",
    "EDQUOT": "the quota is used up: remove something",
}


def with_hint(text: str, errno_name: str) -> str:
    """One line: what went wrong, and what to do where that is known."""
    hint = _HINTS.get(errno_name)
    return f"{text}; hint: {hint}" if hint else text


def in_one_line(error: OSError, what: str = "") -> str:
    """The error of a system call: `what` or its file, the kernel's words, the errno by name, and the hint."""
    name = errno.errorcode.get(error.errno or 0, type(error).__name__)
    where = what or (f"{error.filename}" if error.filename else "")
    return with_hint(f"{where}{': ' if where else ''}{error.strerror or error} ({name})", name)


class ChannelError(Exception):
    """A channel could not do what it was asked.

    `errno_name` is the kernel's own word (`"ENOENT"`). Where no system call failed, `code` is the plain word for what
    happened instead: a name of getaddrinfo(3) (`"EAI_AGAIN"`), or `NO_ANSWER`. `may_be_delivered` says whether the
    message of the failing `send` can still reach the receiver.
    """

    def __init__(self, message: str, *, code: int | str, may_be_delivered: bool = False) -> None:
        self.may_be_delivered = may_be_delivered
        self.errno_name = code if isinstance(code, str) else errno.errorcode.get(code, str(code))
        super().__init__(f"{message} ({self.errno_name})")

    def explained(self) -> str:
        """The message, and what to do where that is known; one line."""
        return with_hint(str(self), self.errno_name)


class PeerAbsent(ChannelError):
    """There is no object, no reader or no listener yet. Try again later."""


class PeerGone(ChannelError):
    """The channel was open and broke: the peer died, or the object was removed. Open it again."""


class ChannelFull(ChannelError):
    """`send` could not place the message within its timeout: backpressure. Nothing was sent."""


class ReceiveTimeout(ChannelError):
    """`receive_into` saw no message within its timeout."""


class MessageTooLarge(ChannelError):
    """The message is larger than the mechanism carries, or than the buffer given. Nothing was sent."""


class InvalidState(ChannelError):
    """The call does not fit what was called before: a second `borrow` before `release`, or `commit` without `loan`."""


class AccessRefused(ChannelError):
    """The kernel's permission check said no: another user id, or a read-only place."""


class TornMessage(ChannelError):
    """Bytes arrived that are no whole message. They were skipped, and the next call goes on behind them."""


class Unusable(ChannelError):
    """The mechanism cannot work here: a kernel feature is missing, and no retry helps."""
