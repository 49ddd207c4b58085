"""Messages that say which they are, so that any mix of two shows."""

from __future__ import annotations


def body(sequence: int, size: int) -> bytes:
    """A message that says which it is and is filled by what it says, so that any mix of two shows."""
    head = f"{sequence:012d}:{size:07d}:".encode()
    if size < len(head):
        return bytes([sequence % 251]) * size
    return head + bytes([sequence % 251]) * (size - len(head))


def describe(message: bytes) -> list[int]:
    """[sequence, size] of a message made by `body`, or [-1, size] if it was altered."""
    size = len(message)
    try:
        sequence = int(message[:12])
    except ValueError:
        return [-1, size]
    return [sequence if message == body(sequence, size) else -1, size]
