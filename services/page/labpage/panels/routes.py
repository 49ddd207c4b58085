"""What the browser asks for: `/panels`."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from labpage.panels.service import InvalidRequestError, PanelService


def routes(service: PanelService) -> list[Route]:
    """The addresses of the panels."""

    async def panels(request: Request) -> Response:
        try:
            content = await service.answer(request.query_params)
        except InvalidRequestError as error:
            return PlainTextResponse(f"{error}\n", 400)
        return Response(content, media_type="application/json", headers={"Cache-Control": "no-store"})

    return [Route("/panels", panels)]
