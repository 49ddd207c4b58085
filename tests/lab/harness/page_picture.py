"""What is read in the page's picture of the pairs, in a browser."""

from __future__ import annotations

from lab.harness.browser import Tab


def pairs(page: Tab) -> int:
    """How many pairs are drawn."""
    return int(page.ask("document.querySelectorAll('.pair').length"))


def state_of(page: Tab, mechanism: str) -> str:
    """The first class of a pair beside "pair": its state, as the picture draws it."""
    return str(page.ask(f"document.querySelector('[data-pair=\"{mechanism}\"]')?.classList[1]"))


def words_of(page: Tab, mechanism: str) -> str:
    """What is written in a row of the picture."""
    texts_of = f"[...document.querySelectorAll('[data-pair=\"{mechanism}\"] text')]"
    return str(page.ask(f"{texts_of}.map(text => text.textContent).join(' | ')"))


def is_within(page: Tab, key: str, frame: str) -> bool:
    """Whether the box with this key, as `tcp.consumer`, lies inside the rectangle of a selector."""
    box, around = f"document.querySelector('[data-key=\"{key}\"]')", f"document.querySelector('{frame}')"
    sides = "outer.left <= inner.left && inner.right <= outer.right"
    rows = "outer.top <= inner.top && inner.bottom <= outer.bottom"
    rectangles = f"const [inner, outer] = [{box}, {around}].map((it) => it?.getBoundingClientRect());"
    return bool(page.ask(f"(() => {{ {rectangles} return Boolean(inner && outer) && {sides} && {rows}; }})()"))
