"""One browser's page: what it was asked with, and what every view may use."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from labpage import texts
from labpage.live import Live
from labpage.prometheus import Prometheus
from labpage.texts import Texts

THEMES = ("light", "dark")


@dataclass(frozen=True, slots=True)
class Services:
    """What all browsers share."""

    prometheus: Prometheus
    live: Live


@dataclass(frozen=True, slots=True)
class Visit:
    """The choices of one browser. `theme` is None where the browser's own preference decides."""

    path: str
    text: Texts
    theme: str | None
    kiosk: bool
    services: Services

    @property
    def language(self) -> str:
        """One of `texts.LANGUAGES`."""
        return self.text.language


def visit(request: Request, services: Services) -> Visit:
    """The choices that a request names, or that this browser made before."""
    asked, remembered = request.query_params, request.cookies
    language = texts.chosen(asked.get("lang"), remembered.get("lang"), request.headers.get("accept-language", ""))
    theme = next((t for t in (asked.get("theme"), remembered.get("theme")) if t in THEMES), None)
    return Visit(request.url.path, texts.texts(language), theme, "kiosk" in asked, services)
