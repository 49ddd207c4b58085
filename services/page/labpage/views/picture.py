"""The picture, the first view."""

from __future__ import annotations

from nicegui import ui

from ipclab import mechanisms
from labpage.view import View
from labpage.visit import Visit


class Picture(ui.element, component="../components/picture.js"):
    """The drawing, which the browser animates from the numbers of /live."""


async def _build(visit: Visit) -> None:
    picture = Picture()
    picture.props["words"] = {
        **visit.text.below("picture"),
        **{f"about.{key}": words for key, words in visit.text.below("mechanism").items()},
    }
    picture.props["facts"] = {name: _facts(name) for name in mechanisms.names()}
    picture.props["kiosk"] = bool(visit.kiosk)


def _facts(name: str) -> dict[str, str]:
    traits = mechanisms.load(name).traits
    return {"man_page": traits.man_page, "kind": str(traits.kind), "full": str(traits.on_full)}


VIEW = View(10, "/", "picture.title", _build)
