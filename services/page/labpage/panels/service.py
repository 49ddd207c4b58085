"""Panels for browsers: an answer is made once for all that look at the same panel in the same way at the same time."""

from __future__ import annotations

import asyncio
import json
import math
import time
from collections.abc import Mapping, Sequence
from typing import Any

from labpage.panels import marks, promql, translation
from labpage.panels.asking import Asked, Request
from labpage.panels.definition import Dashboard, Panel, Variable
from labpage.panels.drawing import draw
from labpage.prometheus import PrometheusSilent

RANGES_S = (300, 900, 1800, 3600, 10800, 21600)  # Prometheus keeps six hours
EVERY_S = (1, 2, 5, 10, 30, 60)
MOST_PANELS = 40  # of one request; the largest dashboard has 18
_MOST_KEPT = 600
_GRAFANA = 'up{job="grafana"}'
_LANGUAGES = ("en", "ko")


class InvalidRequestError(Exception):
    """The address asks for what there is not; the text says what."""


class PanelService:
    """Answers for the panels of `boards`. `curves` has further panels, which no dashboard of Grafana has."""

    def __init__(self, boards: Mapping[str, Dashboard], prometheus: Asked) -> None:
        self.boards, self._prometheus = boards, prometheus
        self._kept: dict[tuple[Any, ...], tuple[int, asyncio.Task[bytes]]] = {}

    async def answer(self, asked: Mapping[str, str]) -> bytes:
        """JSON of the panels that are asked for: `panels` by their keys, `marks`, and what each variable offers.

        :param asked: `panels` (BOARD.NUMBER, separated by commas), `range` and `every` in seconds, `language`, `marks`
            (a board), and `var-NAME` for a variable
        :raises InvalidRequestError: one of them is none that there is
        """
        keys = list(dict.fromkeys(filter(None, asked.get("panels", "").split(","))))[: MOST_PANELS + 1]
        if len(keys) > MOST_PANELS:
            raise InvalidRequestError(f"invalid panels: expected at most {MOST_PANELS}")
        found = [self._panel(key) for key in keys]
        range_s = _one_of("range", asked.get("range", "300"), RANGES_S)
        every_s = _one_of("every", asked.get("every", "5"), EVERY_S)
        language = asked.get("language", "en")
        if language not in _LANGUAGES:
            raise InvalidRequestError(f"invalid language {language!r}: expected one of {', '.join(_LANGUAGES)}")
        marked = asked.get("marks")
        if marked is not None and marked not in self.boards:
            raise InvalidRequestError(f"invalid marks {marked!r}: expected one of {', '.join(self.boards)}")
        words = translation.of(language)
        boards = {board.name: board for board, _ in found} | ({marked: self.boards[marked]} if marked else {})
        offered = {name: await self._offered(board, float(every_s)) for name, board in boards.items()}
        own = {name.removeprefix("var-"): value for name, value in asked.items() if name.startswith("var-")}
        requests = {
            name: Request(board, promql.choices(board, own, offered[name]), range_s, float(every_s), words)
            for name, board in boards.items()
        }
        drawn = await asyncio.gather(*(self._drawn(panel, requests[board.name]) for board, panel in found))
        parts = [b"%s:%s" % (json.dumps(key).encode(), content) for key, content in zip(keys, drawn, strict=True)]
        rest = {
            "variables": {name: choices for board in offered.values() for name, choices in board.items()},
            "grafana": await self._grafana_runs(),
        }
        whole = b'{"panels":{%s},' % b",".join(parts)
        if marked:
            whole += b'"marks":%s,' % await self._marks(requests[marked])
        return whole + json.dumps(rest, ensure_ascii=False).encode()[1:]

    def _panel(self, key: str) -> tuple[Dashboard, Panel]:
        name, _, number = key.partition(".")
        board = self.boards.get(name)
        panel = board.panel(int(number)) if board and number.isdecimal() and len(number) < 5 else None
        if board is None or panel is None:
            raise InvalidRequestError(f"invalid panel {key[:60]!r}: expected DASHBOARD.NUMBER")
        return board, panel

    async def _offered(self, board: Dashboard, every_s: float) -> dict[str, list[str]]:
        return {variable.name: await self._choices(variable, every_s) for variable in board.variables}

    async def _choices(self, variable: Variable, every_s: float) -> list[str]:
        if variable.options:
            return [option.text for option in variable.options]
        try:
            samples = await self._prometheus.query(f"group by ({variable.of_label}) ({variable.series})", every_s)
        except PrometheusSilent:
            return []
        return sorted({sample.labels.get(variable.of_label, "") for sample in samples}, key=_by_number)

    async def _grafana_runs(self) -> bool:
        """Whether a link to it would lead anywhere: Prometheus looks, every ten seconds."""
        try:
            found = await self._prometheus.query(_GRAFANA, 5.0)
        except PrometheusSilent:
            return False
        return any(sample.value == 1 for sample in found)

    async def _drawn(self, panel: Panel, request: Request) -> bytes:
        kind = ("panel", request.board.name, panel.number)
        return await self._once(kind, request, lambda: draw(panel, request, self._prometheus))

    async def _marks(self, request: Request) -> bytes:
        return await self._once(
            ("marks", request.board.name), request, lambda: marks.happened(request, self._prometheus)
        )

    async def _once(self, kind: tuple[Any, ...], request: Request, make: Any) -> bytes:
        key = (*kind, request.range_s, request.every_s, request.translation.language, *sorted(request.chosen.items()))
        now = math.floor(time.time() / request.every_s)
        kept = self._kept.get(key)
        if kept is None or kept[0] != now:
            if len(self._kept) >= _MOST_KEPT:
                self._kept = {k: v for k, v in self._kept.items() if v[1].done() is False or v[0] >= now - 1}
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            kept = self._kept[key] = (now, asyncio.create_task(_made(make, request)))
        # A browser that leaves while it waits must not take the answer from the others.
        return await asyncio.shield(kept[1])


async def _made(make: Any, request: Request) -> bytes:
    try:
        content = await make()
    except PrometheusSilent as error:
        content = {"kind": "silent", "text": request.translation.words["silent"].format(reason=error)}
    return json.dumps(content, ensure_ascii=False, separators=(",", ":")).encode()


def _one_of(name: str, text: str, known: Sequence[int]) -> int:
    if text not in map(str, known):
        raise InvalidRequestError(f"invalid {name} {text[:40]!r}: expected one of {', '.join(map(str, known))}")
    return int(text)


def _by_number(text: str) -> tuple[int, str]:
    return (int(text) if text.isdecimal() else 0, text)
