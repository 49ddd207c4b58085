"""Markdown as HTML. The texts are the lab's own, baked into the image: what they have of HTML is meant."""

from __future__ import annotations

from markdown_it import MarkdownIt

from labpage.panels import display

_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable("table")


def rendered(markdown: str) -> str:
    """The HTML of a text; a link to a dashboard of Grafana's leads to the same dashboard of the page."""
    tokens = _MARKDOWN.parse(markdown)
    for token in (inner for outer in tokens for inner in (outer, *(outer.children or ()))):
        href = token.attrGet("href")
        if token.type == "link_open" and isinstance(href, str):
            token.attrSet("href", display.address(href, ""))
            if href.startswith("http"):
                token.attrSet("target", "_blank")
                token.attrSet("rel", "noopener")
    html: str = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return html
