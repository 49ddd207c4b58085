"""One browser's page: what it was asked with, and what every view may use."""

from __future__ import annotations

from dataclasses import dataclass

from starlette.requests import Request

from labpage import texts
from labpage.live import Live
from labpage.prometheus import Prometheus
from labpage.texts import Texts

THEMES = ("light", "dark")
KIOSK_S = 20


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
    kiosk: int  # seconds that a view stays; 0 where nothing rotates
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
    return Visit(request.url.path, texts.texts(language), theme, _kiosk(asked.get("kiosk")), services)


def _kiosk(asked: str | None) -> int:
    """?kiosk is twenty seconds, ?kiosk=60 a minute."""
    if asked is None:
        return 0
    return min(max(int(asked), 3), 3600) if asked.isdecimal() and len(asked) < 6 else KIOSK_S
