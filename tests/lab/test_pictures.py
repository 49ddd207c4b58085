"""The dashboards in a real Grafana, looked at with a real browser.

Grafana is the lab's own, or the one that LAB_GRAFANA_URL names. LAB_PICTURES names a directory that keeps the
pictures (docs/images has those of the documents).
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
import requests
from dashboards.__main__ import DASHBOARDS, JSON
from dashboards.document import uid

from lab.harness import browser
from lab.harness.stack import Stack, wait_until

_WIDTH, _HEIGHT = 1280, 720
_PNG = b"\x89PNG\r\n\x1a\n"
# In Grafana 7 and in newer ones.
_ALL_PANELS = """document.querySelectorAll('.panel-container, section[data-testid^="data-testid Panel header"]')"""
# Titles of the panels on the screen that have neither a drawing nor a word beside their title: they still load.
_BARE_PANELS = f"""[...{_ALL_PANELS}]
  .filter(panel => panel.getBoundingClientRect().top < innerHeight)
  .filter(panel => !panel.querySelector('canvas') && panel.innerText.trim().split('\\n').length < 2)
  .map(panel => panel.innerText.trim())
"""


@pytest.fixture(scope="module")
def grafana(request: pytest.FixtureRequest) -> str:
    """Its address; without one that answers there is nothing to look at."""
    url = os.environ.get("LAB_GRAFANA_URL", "").rstrip("/")
    if not url:
        stack: Stack = request.getfixturevalue("stack")
        url = f"http://127.0.0.1:{stack.environment['LAB_GRAFANA_PORT']}"
    try:
        healthy = ask(url, "/api/health").get("database") == "ok"
    except (requests.RequestException, ValueError):
        healthy = False
    if not healthy:
        pytest.skip(f"no Grafana answers at {url} (its image needs a registry); LAB_GRAFANA_URL names another one")
    return url


def ask(url: str, path: str) -> dict[str, Any]:
    session = requests.Session()
    session.trust_env = False
    answer: dict[str, Any] = session.get(f"{url}{path}", timeout=5).json()
    return answer


@pytest.mark.parametrize("name", DASHBOARDS)
def test_grafana_has_loaded_what_is_committed(grafana: str, name: str) -> None:
    expected = json.loads((JSON / name).read_text())
    loaded = ask(grafana, f"/api/dashboards/uid/{expected['uid']}")
    assert loaded["meta"]["provisioned"] is True
    assert loaded["meta"]["canSave"] is False
    assert loaded["dashboard"]["title"] == expected["title"]
    assert [p["title"] for p in loaded["dashboard"]["panels"]] == [p["title"] for p in expected["panels"]]


def test_the_first_page_is_start_here(grafana: str) -> None:
    assert ask(grafana, "/api/dashboards/home")["dashboard"]["title"] == "Start here"


@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", DASHBOARDS)
def test_every_panel_of_the_screen_shows_something(grafana: str, name: str, tmp_path: Path) -> None:
    chromium = browser.installed()
    if chromium is None:
        pytest.skip("no Chromium installed here, so no picture")
    keep = Path(os.environ.get("LAB_PICTURES") or tmp_path)
    with browser.tab(chromium, tmp_path / "profile") as page:
        page.open(f"{grafana}/d/{uid(Path(name).stem)}?kiosk", _WIDTH, _HEIGHT)
        wait_until("Grafana has drawn a panel", 40, lambda: page.ask(f"{_ALL_PANELS}.length"))
        wait_until("every panel on the screen has a content", 40, lambda: not page.ask(_BARE_PANELS))
        text = browser.quiet(page, for_s=2, within_s=40)
        picture = page.picture()
    (keep / f"{Path(name).stem}.png").write_bytes(picture)
    assert json.loads((JSON / name).read_text())["panels"][0]["title"] in text
    if "state-timeline" not in ask(grafana, "/api/frontend/settings")["panels"]:  # before Grafana 8: decision 0019
        text = text.replace("Panel plugin not found: state-timeline", "")
    for complaint in ("No data", "Panel plugin not found", "Templating init failed"):
        assert complaint not in text, text
    assert picture.startswith(_PNG)
    assert [int.from_bytes(picture[at : at + 4]) for at in (16, 20)] == [_WIDTH, _HEIGHT]
