"""The numbers of the picture, read once a second and sent to every browser that looks, as server-sent events.

One question to Prometheus and one text serve all browsers; while nobody looks, Prometheus is not asked. Source:
https://html.spec.whatwg.org/multipage/server-sent-events.html, whose client comes back by itself after an interruption.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

EVERY_S = 1.0
_MOST_WAITING = 2  # texts that a slow browser has not taken yet; of those it has missed, only the newest matter


class Live:
    """A snapshot a second, for as long as somebody listens."""

    def __init__(self, read: Callable[[], Awaitable[dict[str, Any]]], every_s: float = EVERY_S) -> None:
        self._read = read
        self._every_s = every_s
        self._listeners: set[asyncio.Queue[str]] = set()
        self._task: asyncio.Task[None] | None = None
        self._last = ""

    @property
    def listeners(self) -> int:
        """How many browsers look."""
        return len(self._listeners)

    async def events(self) -> AsyncIterator[str]:
        """One browser's events, the last snapshot first."""
        queue: asyncio.Queue[str] = asyncio.Queue(_MOST_WAITING)
        self._listeners.add(queue)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._go_on())
        elif self._last:
            queue.put_nowait(self._last)
        try:
            yield "retry: 1000\n\n"
            while True:
                yield await queue.get()
        finally:
            self._listeners.discard(queue)

    async def _go_on(self) -> None:
        loop = asyncio.get_running_loop()
        while self._listeners:
            began = loop.time()
            snapshot = await self._read()
            self._last = f"data: {json.dumps(snapshot, separators=(',', ':'), ensure_ascii=False)}\n\n"
            for queue in self._listeners:
                if queue.full():
                    queue.get_nowait()
                queue.put_nowait(self._last)
            await asyncio.sleep(max(0.0, self._every_s - (loop.time() - began)))
        self._last = ""
