"""The picture of a mechanism, drawn with characters: who holds the bytes, and which way they go.

The words of a picture are English in every language: a Korean letter has no fixed width in every font.
"""

from __future__ import annotations

from ipclab.contract.channel import Communication, Direction, Kind, Persistence, Sharing, Traits


def draw(traits: Traits) -> list[str]:
    """The lines of the picture, all of one length."""
    holder, content = _holder(traits), _content(traits)
    width = max(len(holder) + 2, *(len(line) for line in content)) + 2
    ends = _ends(traits)
    to, back = _arrows(traits)
    middle = len(content) // 2
    lines = [_row(ends, "top", f"┌─ {holder} {'─' * (width - len(holder) - 3)}┐", "  ")]
    lines += [
        _row(ends, "middle" if number == middle else "side", f"│{line:^{width}}│", to if number == middle else back)
        for number, line in enumerate(content)
    ]
    lines.append(_row(ends, "bottom", f"└{'─' * width}┘", "  "))
    return [line.rstrip() for line in lines]


def _holder(traits: Traits) -> str:
    """Who keeps the bytes while they are on the way."""
    if traits.persistence is Persistence.FILESYSTEM:
        return "file"
    if traits.kind is Kind.SHARED_MEMORY:
        return "memory of both"
    return "kernels and network" if Sharing.NETWORK in traits.requires else "kernel"


def _content(traits: Traits) -> list[str]:
    """What the bytes look like there; three lines."""
    match traits.kind:
        case Kind.SHARED_MEMORY:
            return ["same bytes,", "[ a | b | c |   |   ]", "+ synchronization"]
        case Kind.BYTE_STREAM:
            return ["no borders", "a a b b b c c", "first in, first out"]
        case Kind.MESSAGE:
            order = "first in, first out" if traits.ordered else "any order, or lost"
            return ["borders", "[ a ] [ b ] [ c ]", order]


def _ends(traits: Traits) -> tuple[bool, bool]:
    """Whether several producers, and several consumers, may use one channel as a mailbox."""
    mailbox = traits.communication is Communication.INDIRECT
    return mailbox and traits.many_senders, mailbox and traits.many_receivers


def _arrows(traits: Traits) -> tuple[str, str]:
    """The arrow on the line of the bytes, and what stands above and below."""
    if traits.kind is Kind.SHARED_MEMORY:
        return "──", "  "  # nothing moves: both sides map it
    return ("◀▶" if traits.direction is Direction.TWO_WAY else "─▶"), "  "


_PARTS = {
    "top": ("┌──────────┐ ", "┌──────────┐┐"),
    "side": ("│          │ ", "│          ││"),
    "middle": ("│{name:^10}│ ", "│{name:^10}││"),
    "bottom": ("└──────────┘ ", "└──────────┘┘"),
}


def _row(ends: tuple[bool, bool], part: str, middle: str, arrow: str) -> str:
    left, right = (_PARTS[part][several].format(name=name) for several, name in zip(ends, _NAMES, strict=True))
    return f"{left}{arrow} {middle} {arrow} {right}"


_NAMES = ("producer", "consumer")
