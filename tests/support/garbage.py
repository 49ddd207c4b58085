"""Garbage for readers: bytes without sense, sound bytes that were damaged, and JSON that has the form of a document.

A damaged document says more than a random one, which a reader refuses at its first byte.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from hypothesis import strategies as st

from labctl.terminal.errors import LabError
from labctl.workshop.bundle.archive import BadBundle

Garbage = Callable[[st.SearchStrategy[Any], Callable[[Any], None]], None]  # of tests/unit/garbage/conftest.py
DEEP = b"[" * 5_000  # more than any parser of JSON goes down
scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.sampled_from([0, -1, 2**63, 2**64, 10**400]),
    st.floats(),
    st.text(max_size=12),
    st.sampled_from(["", "\ud800", "\x1b[2J", "a\nb", "%s", "../..", "nan", "1e999"]),
)


def in_one_line(error: LabError | BadBundle) -> None:
    """A message and a hint, each fit for a terminal."""
    assert error.message.isprintable(), error.message
    assert error.hint.isprintable(), error.hint


@contextmanager
def may_refuse() -> Iterator[None]:
    """The reader may refuse, in one line."""
    try:
        yield
    except LabError as error:
        in_one_line(error)


json_values = st.one_of(
    scalars,
    st.lists(scalars, max_size=3),
    st.dictionaries(st.text(max_size=8), scalars, max_size=3),
)


@st.composite
def damaged(draw: st.DrawFn, *sound: bytes) -> bytes:
    """One of the sound ones with bytes changed, put in, taken out, cut off, doubled or followed by others."""
    data = bytearray(draw(st.sampled_from(sound)))
    for _ in range(draw(st.integers(0, 4))):
        where = draw(st.integers(0, len(data)))
        patch = draw(st.binary(max_size=12))
        match draw(st.integers(0, 5)):
            case 0:
                data[where : where + len(patch)] = patch
            case 1:
                data[where:where] = patch
            case 2:
                del data[where : where + draw(st.integers(1, 40))]
            case 3:
                del data[where:]
            case 4:
                data += data[where:]
            case _:
                data += patch
    return bytes(data)


def noise(*sound: bytes) -> st.SearchStrategy[bytes]:
    """Random bytes, and damaged ones."""
    return st.one_of(st.binary(max_size=300), damaged(*sound))


@st.composite
def damaged_json(draw: st.DrawFn, *sound: Any) -> bytes:
    """The text of a document with values replaced, removed or added; rarely a text that is no JSON."""
    document = copy.deepcopy(draw(st.sampled_from(sound)))
    for _ in range(draw(st.integers(1, 3))):
        document = _changed(draw, document)
    text = json.dumps(document).encode()
    return draw(damaged(text)) if draw(st.integers(0, 9)) == 0 else text


def _changed(draw: st.DrawFn, node: Any) -> Any:
    if not isinstance(node, dict | list) or not node or draw(st.integers(0, 4)) == 0:
        return draw(json_values)
    key: Any = draw(st.sampled_from(sorted(node) if isinstance(node, dict) else range(len(node))))
    match draw(st.integers(0, 5)):
        case 0:
            del node[key]
        case 1 if isinstance(node, dict):
            node[draw(st.text(max_size=8))] = draw(json_values)
        case 2:
            node[key] = draw(json_values)
        case _:
            node[key] = _changed(draw, node[key])
    return node
