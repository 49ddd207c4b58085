"""A JSON object that is read completely or refused: every option is used, or has the one value that the page draws.

So no dashboard has an option that the page ignores without a word.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any


class UnknownOptionError(Exception):
    """A dashboard has an option, or a value of an option, that the page does not draw."""


class Options:
    """The options of one JSON object; `where` is its address in the file."""

    def __init__(self, content: Any, where: str) -> None:
        if not isinstance(content, dict):
            raise UnknownOptionError(f"{where}: expected an object, got {content!r}")
        self._left, self.where = dict(content), where

    def take(self, name: str, default: Any = None) -> Any:
        """The value of an option, which counts as read."""
        return self._left.pop(name, default)

    def must_be(self, name: str, *values: Any) -> None:
        """Read an option that the page draws in these ways only; it may be absent."""
        if name in self._left and (found := self._left.pop(name)) not in values:
            raise UnknownOptionError(
                f"{self.where}.{name}: {found!r} is not drawn, expected {' or '.join(map(repr, values))}"
            )

    @contextmanager
    def part(self, name: str) -> Iterator[Options]:
        """The object of an option, empty where it is absent; read completely at the end."""
        inner = Options(self._left.pop(name, None) or {}, f"{self.where}.{name}")
        yield inner
        inner.finish()

    def each(self, name: str) -> Iterable[Options]:
        """The objects of a list; the caller finishes each."""
        items = self._left.pop(name, None) or []
        return [Options(item, f"{self.where}.{name}[{index}]") for index, item in enumerate(items)]

    def names(self) -> list[str]:
        """What has not been read yet."""
        return sorted(self._left)

    def finish(self) -> None:
        """Everything has been read.

        :raises UnknownOptionError: it has not
        """
        if self._left:
            raise UnknownOptionError(f"{self.where}: the page does not know {', '.join(sorted(self._left))}")
