"""What the server does with many requests at once."""

from __future__ import annotations

import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import requests

from labctl.config import compose_file
from labpage.server import MOST_THREADS
from support.page_server import served_page

_CLIENTS = 48  # eight browsers that open a view at once, with six connections each
_OTHER_TASKS = 16  # init, a health check, and threads that look up the name of Prometheus
_FILES = ("/assets/page.css", "/assets/boards.js", "/assets/panels.js", "/assets/charts.js")


def test_many_browsers_at_once_need_no_more_tasks_than_the_container_may_have() -> None:
    """Each file is read by a thread, and a thread that cannot be started is an answer of status 500."""
    with served_page("http://127.0.0.1:9") as (port, pid):
        tasks = Path(f"/proc/{pid}/task")
        if not tasks.is_dir():
            pytest.skip("this machine does not list the threads of a process in /proc")
        begin = threading.Barrier(_CLIENTS)

        def ask() -> list[int]:
            with requests.Session() as session:
                session.trust_env = False
                begin.wait(60)
                return [session.get(f"http://127.0.0.1:{port}{path}", timeout=60).status_code for path in _FILES]

        before = len(list(tasks.iterdir()))
        with ThreadPoolExecutor(_CLIENTS) as clients:
            asked = [clients.submit(ask) for _ in range(_CLIENTS)]
            answers = [one.result() for one in asked]
        assert answers == [[200] * len(_FILES)] * _CLIENTS
        threads = len(list(tasks.iterdir()))  # one that has nothing to do ends after ten seconds
    assert threads <= before + MOST_THREADS
    assert threads + _OTHER_TASKS <= compose_file.service("page")["pids_limit"]


def test_a_browser_that_gives_a_request_up_leaves_no_traceback(capfd: pytest.CaptureFixture[str]) -> None:
    """NiceGUI asks for its socket by HTTP first, and its library takes the end of the client for a request."""
    with served_page("http://127.0.0.1:9") as (port, _):
        asked = f"GET /_nicegui_ws/socket.io/?EIO=4&transport=polling HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\n\r\n"
        for _ in range(_CLIENTS):
            with socket.create_connection(("127.0.0.1", port)) as client:
                client.sendall(asked.encode())
        assert requests.get(f"http://127.0.0.1:{port}/health", timeout=60).status_code == 200
    assert "Traceback" not in capfd.readouterr().err
