"""The server: the views, the files beside them, the stream of numbers, and what it refuses."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from importlib.resources import files
from pathlib import Path
from typing import Any

import uvicorn
from anyio.to_thread import current_default_thread_limiter
from fastapi import FastAPI
from nicegui import ui
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, StreamingResponse
from starlette.staticfiles import StaticFiles

from labpage import frame
from labpage.connections import BoundedProtocol
from labpage.guard import Guard, allowed_hosts
from labpage.live import Live
from labpage.matrix.cells import read as read_matrix
from labpage.panels.files import dashboards
from labpage.panels.service import PanelService
from labpage.picture.history import history
from labpage.picture.read import reader
from labpage.prometheus import Prometheus, PrometheusSilent
from labpage.routes import routes
from labpage.view import View
from labpage.views import all_views
from labpage.visit import Services, visit

PORT = 8080  # in the container
_STATIC = Path(str(files("labpage"))) / "static"
MOST_THREADS = 8  # that read files for browsers; the container may have 32 tasks, and anyio would make 40 threads


def make_app(prometheus_url: str, published_port: int) -> Guard:
    """Everything that is served, behind the guard.

    :param published_port: the port by which browsers know the page: the Host header has it
    """
    prometheus = Prometheus(prometheus_url)
    services = Services(prometheus, Live(reader(prometheus)))
    app = FastAPI(title="IPC Lab", openapi_url=None, docs_url=None, redoc_url=None)
    app.mount("/assets", StaticFiles(directory=_STATIC), name="assets")

    @app.get("/live")
    async def live() -> StreamingResponse:
        return StreamingResponse(
            services.live.events(), media_type="text/event-stream", headers={"Cache-Control": "no-store"}
        )

    @app.get("/history/{mechanism}")
    async def of_pair(mechanism: str) -> JSONResponse:
        try:
            return JSONResponse(await history(prometheus, mechanism), headers={"Cache-Control": "no-store"})
        except KeyError:
            return JSONResponse({"error": "no such mechanism"}, 404)
        except PrometheusSilent as error:
            return JSONResponse({"error": str(error)}, 503)

    @app.get("/matrix.json")
    async def of_probes() -> JSONResponse:
        try:
            return JSONResponse(await read_matrix(prometheus), headers={"Cache-Control": "no-store"})
        except PrometheusSilent as error:
            return JSONResponse({"error": str(error)}, 503)

    @app.get("/health")
    async def health() -> PlainTextResponse:
        return PlainTextResponse("ok\n")

    app.router.routes.extend(routes(PanelService(dashboards(), prometheus), prometheus))
    for view in all_views():
        ui.page(view.path, title="IPC Lab")(_builder(view, services))
    ui.run_with(app, title="IPC Lab", favicon=_STATIC / "icon.svg", tailwind=False, show_welcome_message=False)
    return Guard(app, allowed_hosts(published_port))


def _builder(view: View, services: Services) -> Callable[[Request], Any]:
    async def build(request: Request) -> None:
        seen = visit(request, services)
        if seen.theme:
            ui.dark_mode(value=seen.theme == "dark")
        else:
            ui.dark_mode(None)
        frame.show(seen, view, all_views())
        with frame.content():
            await view.build(seen)

    return build


def serve(prometheus_url: str, published_port: int, host: str = "0.0.0.0", port: int = PORT) -> None:
    """Serve until a signal ends it."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s page: %(message)s")
    config = uvicorn.Config(
        make_app(prometheus_url, published_port),
        host=host,
        port=port,
        http=BoundedProtocol,
        ws="websockets-sansio",
        ws_max_size=1 << 20,
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    asyncio.run(_serve(uvicorn.Server(config)))


async def _serve(server: uvicorn.Server) -> None:
    # A thread that cannot be started would be a script that does not come.
    current_default_thread_limiter().total_tokens = MOST_THREADS
    await server.serve()
