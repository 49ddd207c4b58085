"""A registry that limits how often it is asked: the real engine asks it, and the lab asks again when it may."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from lab.harness.stack import Stack
from labctl.engine import base_images, registry
from labctl.engine.silent_registries import ASKED_AGAIN_AFTER_S, SilentRegistries

_SAYS = "You have reached your pull rate limit."


@contextmanager
def limiting_registry() -> Iterator[tuple[str, list[str]]]:
    """An image of a registry on this machine that answers 429 to everything, and the paths it was asked for."""
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            body = json.dumps({"errors": [{"code": "TOOMANYREQUESTS", "message": _SAYS}]}).encode()
            self.send_response(429)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(body)

        do_HEAD = do_GET

        def log_message(self, format: str, *args: object) -> None:
            del format, args

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        try:
            yield f"127.0.0.1:{server.server_port}/ipclab-test/image:1", asked
        finally:
            server.shutdown()


def test_a_limit_is_no_refusal(stack: Stack) -> None:
    with limiting_registry() as (image, asked):
        answer, reason = registry.probe(stack.client, [image])[image]
    assert answer is registry.Answer.SILENT, reason
    assert asked


def test_it_is_asked_again_after_ten_minutes_or_when_told_to(
    stack: Stack, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    engine_id = str(stack.client.info()["ID"])

    def ask(*, ask_again: bool = False) -> int:
        before = len(asked)
        assert base_images.pull_absent(stack.client, [image], ask_again=ask_again) == [image]
        return len(asked) - before

    with limiting_registry() as (image, asked):
        host = image.partition("/")[0]
        assert ask() > 0
        assert host in SilentRegistries(engine_id).recent()
        assert ask() == 0, "each ./lab up would wait for it"
        assert ask(ask_again=True) > 0, "./lab up --pull"
        (file,) = (tmp_path / "ipclab").iterdir()
        aged = file.read_text(encoding="utf-8")
        known = json.loads(aged)
        known[engine_id][host][0] -= ASKED_AGAIN_AFTER_S
        file.write_text(json.dumps(known), encoding="utf-8")
        assert ask() > 0
