"""Words that two processes share, and a lock for them: an optional part of the contract, for memory and files.

Nothing here makes two processes take turns but the lock, and whoever does not take it is not kept out. That is
what `ipclab.race` shows. The words lie beside a channel and are none of its own: to race on them alters no message.

Words belong to the thread that opened them. The lock must be one that the kernel frees when its holder is
killed (semop(2) with SEM_UNDO, flock(2)); what the holder left half done stays half done.
"""

from __future__ import annotations

from typing import Protocol, TypeGuard, runtime_checkable

from ipclab.channel import Address, Mechanism

WORD_BYTES = 8


class Words(Protocol):
    """Unsigned words of 8 bytes each, all 0 when they are made. Every method may raise `ChannelError`."""

    def load(self, index: int, /) -> int:
        """The word as it is now."""

    def store(self, index: int, value: int, /) -> None:
        """Replace the word, in one piece."""

    def try_lock(self) -> bool:
        """Take the lock if it is free; never waits."""

    def unlock(self) -> None:
        """Let the next one in."""

    def is_linked(self) -> bool:
        """Can the next process still find these words by their name?"""

    def close(self) -> None:
        """Let go. Idempotent; never raises."""


@runtime_checkable
class SharesWords(Protocol):
    """A mechanism whose two sides can share words. Its receiver's `remove()` takes them away with the channel."""

    def create_words(self, address: Address, count: int) -> Words:
        """Make `count` words, or adopt those that are there. For the consumer.

        :raises AccessRefused: somebody else's object is in the way
        :raises Unusable: it cannot be done here
        """

    def open_words(self, address: Address, count: int) -> Words:
        """Open what the consumer made. For the producer.

        :raises PeerAbsent: there are none
        :raises AccessRefused: they belong to somebody else, or another producer has them
        """


def shares_words(mechanism: Mechanism | SharesWords) -> TypeGuard[SharesWords]:
    """Whether its two sides can share words."""
    return isinstance(mechanism, SharesWords)
