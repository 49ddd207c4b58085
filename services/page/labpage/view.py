"""What a view is."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from labpage.visit import Visit


@dataclass(frozen=True, slots=True)
class View:
    """One page of the navigation. `title` is a key of the texts; `build` makes the elements for one browser."""

    order: int
    path: str
    title: str
    build: Callable[[Visit], Awaitable[None]]
    in_kiosk: bool = True
