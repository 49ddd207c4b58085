"""JSON files that somebody else may have written: what a reader has to expect, and dataclasses made of them.

A file of the lab lies in the user's home, and a document of a bench is named by the user. Neither may end in a
traceback.
"""

from __future__ import annotations

import math
import types
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, fields
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

T = TypeVar("T")
# What json.loads and a reader of its result raise where the text is another document, or none.
INVALID = (ValueError, KeyError, TypeError, AttributeError, IndexError, OverflowError, RecursionError)


def made_of(kind: type[T], document: object) -> T:
    """A dataclass from the JSON of its `asdict`.

    :raises TypeError: a field is missing, unknown, or of another type than it is declared with
    """
    if not isinstance(document, Mapping):
        raise TypeError(f"{kind.__name__} of {type(document).__name__}")
    types_of = get_type_hints(kind)
    needed = {it.name for it in fields(kind) if it.default is MISSING and it.default_factory is MISSING}  # type: ignore[arg-type]
    if not needed <= document.keys() <= types_of.keys():
        raise TypeError(f"{kind.__name__} of {sorted(map(str, document))}")
    for name, value in document.items():
        if not has_type(value, types_of[name]):
            raise TypeError(f"{kind.__name__}.{name} is {type(value).__name__}")
    return kind(**document)


def has_type(value: object, declared: object) -> bool:
    """Whether JSON may have this value where a type is declared: of plain types, None, unions, lists and mappings.

    A whole number is a float too, as in Python's types. A number that is none (NaN, infinite) is no number. A text
    with half a surrogate pair, which JSON can escape and UTF-8 cannot write, is no text.
    """
    if declared is Any:
        return True
    origin, arguments = get_origin(declared), get_args(declared)
    if origin in (Union, types.UnionType):
        return any(has_type(value, argument) for argument in arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return isinstance(value, Mapping) and all(
            has_type(name, arguments[0]) and has_type(it, arguments[1]) for name, it in value.items()
        )
    if isinstance(origin, type) and issubclass(origin, Sequence):
        return isinstance(value, list) and all(has_type(it, arguments[0]) for it in value)
    if declared is float:
        return isinstance(value, int | float) and not isinstance(value, bool) and _is_finite(value)
    if declared is int:
        return isinstance(value, int) and not isinstance(value, bool)
    if isinstance(value, str) and declared is str:
        return _is_written(value)
    return isinstance(declared, type) and isinstance(value, declared)


def _is_written(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # a whole number that no float can be
        return False
