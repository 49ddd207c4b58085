"""The lab's limit of a message where the kernel has none, and the errors of a message that is too large."""

from __future__ import annotations

import errno

from ipclab.contract.errors import MessageTooLarge

MAX_MESSAGE_BYTES = 1 << 20


def over_limit(length: int, limit: int) -> MessageTooLarge:
    """The error of a message to send that is larger than the mechanism carries."""
    return MessageTooLarge(f"{length} bytes; at most {limit}", code=errno.EMSGSIZE)


def over_buffer(length: int, buffer: memoryview, code: int = errno.EMSGSIZE) -> MessageTooLarge:
    """The error of a message that arrived and is larger than the caller's buffer; `code` is the kernel's errno."""
    return MessageTooLarge(f"a message of {length} bytes for a buffer of {len(buffer)}", code=code)


def copy_message(payload: bytes, buffer: memoryview, code: int = errno.EMSGSIZE) -> int:
    """Copy a message into the caller's buffer; its length in bytes.

    :raises MessageTooLarge: it does not fit
    """
    length = len(payload)
    if length > len(buffer):
        raise over_buffer(length, buffer, code)
    buffer[:length] = payload
    return length
