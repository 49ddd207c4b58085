"""What the browser asks for while it shows a view: the panels, the progress of the exercises, the last bench."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from labpage.curve import cells
from labpage.exercises import progress
from labpage.panels.service import InvalidRequestError, PanelService
from labpage.prometheus import Prometheus, PrometheusSilent

_NOT_KEPT = {"Cache-Control": "no-store"}


def routes(service: PanelService, prometheus: Prometheus) -> list[Route]:
    """The addresses: `/panels`, `/progress`, `/bench`."""

    async def panels(request: Request) -> Response:
        try:
            content = await service.answer(request.query_params)
        except InvalidRequestError as error:
            return PlainTextResponse(f"{error}\n", 400)
        return Response(content, media_type="application/json", headers=_NOT_KEPT)

    return [
        Route("/panels", panels),
        Route("/progress", _of(progress.read, prometheus)),
        Route("/bench", _of(cells.read, prometheus)),
    ]


def _of(
    read: Callable[[Prometheus], Awaitable[Any]], prometheus: Prometheus
) -> Callable[[Request], Awaitable[Response]]:
    async def answer(_request: Request) -> Response:
        try:
            return JSONResponse(await read(prometheus), headers=_NOT_KEPT)
        except PrometheusSilent as error:
            return PlainTextResponse(f"Prometheus does not answer: {error}\n", 503)

    return answer
