"""What surrounds every view: navigation, language, theme, and the line that says what is wrong with the numbers."""

from __future__ import annotations

import json
from importlib.resources import files
from urllib.parse import urlencode

from nicegui import ui

from labpage import texts
from labpage.view import View
from labpage.visit import Visit

_LOADING = (files("labpage") / "static" / "loading.js").read_text(encoding="utf-8")


def show(visit: Visit, view: View, views: tuple[View, ...]) -> None:
    """Everything but the view itself, which goes into the element that this leaves open: see `content`."""
    ui.add_head_html(f'<script>document.documentElement.lang = "{visit.language}"</script>')
    ui.add_head_html(
        f"<script>window.lab = {json.dumps(_for_scripts(visit, view, views), ensure_ascii=False)}</script>"
    )
    ui.add_head_html(f"<script>{_LOADING}</script>")  # before whatever may not come
    ui.add_head_html('<link rel="stylesheet" href="/assets/page.css">')
    ui.add_head_html('<script type="module" src="/assets/frame.js"></script>')
    # Seen until NiceGUI's scripts have run; page.css hides it then. loading.js says there what did not come.
    ui.add_body_html(f'<p id="loading" role="status">{visit.text("loading.moment")}</p>')
    if not visit.kiosk:
        _header(visit, view, views)
    with ui.element("p").props("id=trouble role=status aria-live=polite").classes("trouble"):
        pass


def content() -> ui.element:
    """The element for the view."""
    return ui.element("section").props("id=content tabindex=-1").classes("content")


def _for_scripts(visit: Visit, view: View, views: tuple[View, ...]) -> dict[str, object]:
    rotation = [other.path for other in views if other.in_kiosk]
    following = rotation[(rotation.index(view.path) + 1) % len(rotation)] if view.path in rotation else rotation[0]
    return {
        "language": visit.language,
        "text": visit.text.below("trouble"),
        "loading": visit.text.below("loading"),
        "next": _address(visit, following) if visit.kiosk else None,
        "stay": visit.kiosk,
    }


def _header(visit: Visit, view: View, views: tuple[View, ...]) -> None:
    text = visit.text
    with ui.element("header").classes("top"):
        _link("#content", text("frame.skip")).classes("skip")
        with ui.element("nav").props(f'aria-label="{text("frame.views")}"'):
            for other in views:
                link = _link(_address(visit, other.path), text(other.title))
                if other is view:
                    link.props("aria-current=page")
        with ui.element("nav").classes("choices").props(f'aria-label="{text("frame.choices")}"'):
            for language, name in texts.LANGUAGES.items():
                link = _link(_address(visit, view.path, lang=language), name).props(
                    f"lang={language} hreflang={language}"
                )
                if language == visit.language:
                    link.props("aria-current=true")
            for theme in ("light", "dark"):
                link = _link(_address(visit, view.path, theme=theme), text(f"frame.{theme}"))
                if theme == visit.theme:
                    link.props("aria-current=true")


def _link(target: str, words: str) -> ui.element:
    link = ui.element("a").props(f'href="{target}"')
    with link:
        ui.html(words, tag="span")
    return link


def _address(visit: Visit, path: str, **choices: str) -> str:
    asked = {"lang": visit.language, **({"theme": visit.theme} if visit.theme else {}), **choices}
    return f"{path}?{urlencode(asked)}{f'&kiosk={visit.kiosk}' if visit.kiosk else ''}"
