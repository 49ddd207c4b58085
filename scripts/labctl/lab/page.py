"""The page in the browser: its address, and whether it answers."""

from __future__ import annotations

import requests

from labctl.config.paths import LOCALHOST

_ANSWER_WITHIN_S = 5


class Page:
    """The page that the lab publishes at a port of this machine."""

    SERVICE = "page"

    def __init__(self, port: int) -> None:
        self.url = f"http://{LOCALHOST}:{port}"

    def answers(self) -> bool:
        """Whether it is there."""
        session = requests.Session()
        session.trust_env = False  # a proxy is for the world, not for this machine
        try:
            return session.get(f"{self.url}/health", timeout=_ANSWER_WITHIN_S).text == "ok\n"
        except requests.RequestException:
            return False
