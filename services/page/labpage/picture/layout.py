"""Where everything is drawn: positions in a space of 1280 units, from what is so. No colours and no words.

A producer and its consumer stand inside the frame of what they share, and messages go from left to right. A second host
is in the middle. The pairs of the right column are mirrored beside it, so that every consumer stands next to it: a
consumer that was placed there stays in its row. The outline of a frame steps back around a consumer placed apart.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ipclab.contract.channel import Sharing
from ipclab.matrix.placement import Placement
from labpage.picture.state import Pair

WIDTH = 1280
_MARGIN, _PAD = 6, 10
_TOP = 30  # of the host's frame, for its name
_FRAME_NAME = 26  # of the frame of several pairs
_ROW, _TALLEST_ROW, _ROWS_ON_SCREEN = 84, 120, 516
_GAP = 6
_BOX_WIDTH, _OBJECT_WIDTH, _OBJECT_HEIGHT = 128, 116, 28
_SECOND_WIDTH = 172
_MIDDLE = 22  # between the columns
_BELOW = 12  # of the first host, below the second one

Points = list[tuple[float, float]]
_IN_ONE_FRAME = (Sharing.IPC_NAMESPACE, Sharing.DEV_SHM)  # of the holder


@dataclass(frozen=True, slots=True)
class Rectangle:
    """Left, top, width, height."""

    x: float
    y: float
    w: float
    h: float


@dataclass(frozen=True, slots=True)
class Row:
    """One pair. A message goes from `producer` over `held` to `consumer`; `to_left` where that is to the left."""

    mechanism: str
    to_left: bool
    producer: Rectangle
    held: Rectangle
    consumer: Rectangle
    second_host: bool


@dataclass(frozen=True, slots=True)
class Frame:
    """What the pairs in it share: a value of `Sharing`."""

    shares: str
    mechanisms: list[str]
    outline: Points


@dataclass(frozen=True, slots=True)
class Layout:
    """The whole picture."""

    height: float
    rows: list[Row]
    frames: list[Frame]
    host: Points
    second_host: Rectangle | None

    def as_json(self) -> dict[str, Any]:
        """For the browser."""
        return {"width": WIDTH, **asdict(self)}


def layout(pairs: Sequence[Pair], *, second_host: bool) -> Layout:
    """The positions of these pairs, of the frames around them and of the hosts."""
    groups = _groups(pairs)
    columns = _columns(groups)
    most = max((_rows_of(column) for column in columns), default=0.0)
    row = min(_TALLEST_ROW, max(_ROW, _ROWS_ON_SCREEN / most)) if most else float(_ROW)
    middle = _SECOND_WIDTH + 2 * _MIDDLE if second_host else _MIDDLE
    width = (WIDTH - 2 * _MARGIN - 2 * _PAD - middle) / 2
    rows: list[Row] = []
    frames: list[Frame] = []
    bottom = 0.0
    for number, column in enumerate(columns):
        x = _MARGIN + _PAD + number * (width + middle)
        y = float(_MARGIN + _TOP)
        for shares, members in column:
            y = _add_group(rows, frames, shares, members, x, y, width, row, mirrored=second_host and number == 1)
        bottom = max(bottom, y)
    bottom += _PAD + (_BELOW if second_host else 0)
    left, right = (WIDTH - _SECOND_WIDTH) / 2, (WIDTH + _SECOND_WIDTH) / 2
    host: Points = [(_MARGIN, _MARGIN), (WIDTH - _MARGIN, _MARGIN), (WIDTH - _MARGIN, bottom), (_MARGIN, bottom)]
    second = None
    if second_host:
        # The first host's outline goes around the second one, which stands outside it.
        near, far, deep = left - _GAP, right + _GAP, bottom - _BELOW
        host[1:1] = [(near, _MARGIN), (near, deep), (far, deep), (far, _MARGIN)]
        second = Rectangle(left, _MARGIN, _SECOND_WIDTH, deep - _GAP - _MARGIN)
    return Layout(bottom + _MARGIN, rows, frames, host, second)


_Group = tuple[str, list[Pair]]


def _groups(pairs: Sequence[Pair]) -> list[_Group]:
    together = [pair for pair in pairs if pair.shares in _IN_ONE_FRAME]
    alone = [
        (pair.shares, [pair]) for kind in (Sharing.VOLUME, Sharing.NETWORK) for pair in pairs if pair.shares == kind
    ]
    return [*([(str(Sharing.IPC_NAMESPACE), together)] if together else []), *alone]


def _columns(groups: Sequence[_Group]) -> tuple[list[_Group], list[_Group]]:
    columns: tuple[list[_Group], list[_Group]] = ([], [])
    for group in groups:
        min(columns, key=_rows_of).append(group)
    return columns


def _rows_of(column: Sequence[_Group]) -> float:
    return sum(len(members) + (_FRAME_NAME / _ROW if _is_named(shares) else 0) for shares, members in column)


def _is_named(shares: str) -> bool:
    return shares in _IN_ONE_FRAME


def _add_group(
    rows: list[Row],
    frames: list[Frame],
    shares: str,
    members: Sequence[Pair],
    x: float,
    y: float,
    width: float,
    row: float,
    *,
    mirrored: bool,
) -> float:
    """Add a frame and its rows; where the next one begins."""
    top = y
    y += _FRAME_NAME if _is_named(shares) else 0
    inner: list[tuple[float, float, float]] = []  # of each row: top, bottom, and how far the frame reaches
    for pair in members:
        made = _row(pair, x, y, width, row, mirrored=mirrored)
        rows.append(made)
        held_end = made.held.x - _PAD if mirrored else made.held.x + made.held.w + _PAD
        whole = x if mirrored else x + width
        inner.append((y, y + row - _GAP, held_end if pair.apart else whole))
        y += row
    near = x + width if mirrored else x
    outline: Points = [(near, top), (inner[0][2], top)]
    for (_, end, reach), following in zip(inner, [*inner[1:], None], strict=True):
        at = end if following is None else following[0] - _GAP / 2
        outline += [(reach, at)] if following is None or following[2] == reach else [(reach, at), (following[2], at)]
    outline.append((near, inner[-1][1]))
    frames.append(Frame(shares, [pair.mechanism for pair in members], outline))
    return y


def _row(pair: Pair, x: float, y: float, width: float, row: float, *, mirrored: bool) -> Row:
    height = row - _GAP - 2 * 6
    second = any(box.placement == Placement.SECOND_HOST for box in pair.consumers)
    left = Rectangle(x + 8, y + 6, _BOX_WIDTH, height)
    right = Rectangle(x + width - 8 - _BOX_WIDTH, y + 6, _BOX_WIDTH, height)
    there = Rectangle((WIDTH - _BOX_WIDTH) / 2, y + 6, _BOX_WIDTH, height)
    held = Rectangle(
        x + (width - _OBJECT_WIDTH) / 2, y + (row - _GAP - _OBJECT_HEIGHT) / 2, _OBJECT_WIDTH, _OBJECT_HEIGHT
    )
    producer, consumer = (right, left) if mirrored else (left, right)
    return Row(pair.mechanism, mirrored, producer, held, there if second else consumer, second)
