from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from ipclab.linux import namespaces
from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Role, Sample
from ipclab.metrics.exposition import Page
from ipclab.runtime import lifecycle
from ipclab.runtime.lifecycle import _ipc_inode_at, watch_holder

OTHER = "4026530000"


def page_of(ipc: str) -> bytes:
    """What a holder in the IPC namespace `ipc` exports."""
    labels = ("c0ffee", *(namespaces.inodes() | {"ipc": ipc}).values())
    page = Page("", Role.HOLDER, lambda: [Sample(metrics.NAMESPACE_INFO, 1, labels)])
    return page.text().encode()


class Holder(HTTPServer):
    """Answers with `page`, or with 503 while there is none; counts how often it was asked.

    It promises as many bytes as `promised` says, and breaks its word.
    """

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answer)
        self.page: bytes | None = page_of(namespaces.inodes()["ipc"])
        self.promised: int | None = None
        self.asked = threading.Semaphore(0)

    def wait_until_asked(self, times: int) -> None:
        for _ in range(times):
            assert self.asked.acquire(timeout=20)


class _Answer(BaseHTTPRequestHandler):
    server: Holder

    def do_GET(self) -> None:
        page = self.server.page
        self.send_response(200 if page is not None else 503)
        if self.server.promised is not None:
            self.send_header("Content-Length", str(self.server.promised))
        self.end_headers()
        self.wfile.write(page or b"")
        self.server.asked.release()

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def holder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Holder]:
    monkeypatch.setattr(lifecycle, "_WATCH_EVERY_S", 0.05)
    with Holder() as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Split:
    """What `on_split` was told; `wait` ends the watching, and the test."""

    def __init__(self) -> None:
        self.reasons: list[str] = []
        self._told = threading.Event()

    def __call__(self, reason: str) -> None:
        self.reasons.append(reason)
        self._told.set()

    def wait(self) -> str:
        assert self._told.wait(20)
        for watcher in (t for t in threading.enumerate() if t.name == "watch-holder"):
            watcher.join(20)
        (reason,) = self.reasons
        return reason


def test_the_inodes_are_those_of_proc() -> None:
    found = namespaces.inodes()
    assert tuple(found) == namespaces.KINDS
    for kind, inode in found.items():
        assert str(Path(f"/proc/self/ns/{kind}").readlink()) == f"{kind}:[{inode}]"


def test_a_child_shares_our_namespaces() -> None:
    command = [sys.executable, "-c", "from ipclab.linux import namespaces; print(namespaces.inodes())"]
    child = subprocess.run(command, capture_output=True, text=True, check=True)
    assert child.stdout.strip() == str(namespaces.inodes())


def test_the_container_is_called_as_its_host() -> None:
    assert namespaces.container() == socket.gethostname()


def test_a_holder_in_our_namespace_is_watched_on_until_it_is_in_another(holder: Holder) -> None:
    split = Split()
    watch_holder("127.0.0.1", split, holder.server_port)
    holder.wait_until_asked(5)
    assert split.reasons == []
    holder.page = page_of(OTHER)
    assert split.wait() == f"the holder is in IPC namespace {OTHER}, this container in {namespaces.inodes()['ipc']}"


def test_a_holder_that_does_not_answer_proves_nothing(holder: Holder) -> None:
    split = Split()
    holder.page = None
    watch_holder("127.0.0.1", split, holder.server_port)
    holder.wait_until_asked(5)
    holder.page = b"# nothing of ours\nup 1\n"
    holder.wait_until_asked(5)
    assert split.reasons == []
    holder.page = page_of(OTHER)
    split.wait()


def test_half_an_answer_proves_nothing(holder: Holder) -> None:
    split = Split()
    holder.promised = 100_000
    holder.page = page_of(OTHER)  # even one that says it all
    watch_holder("127.0.0.1", split, holder.server_port)
    holder.wait_until_asked(3)
    assert split.reasons == []
    holder.promised = None
    split.wait()


@pytest.mark.parametrize(
    "page",
    [
        b"<html>\xff not a page",
        b"<html> not a page { of metrics",
        b"\0" * 50,
        b'ipc_namespace_info{container="x"} 1\n',
    ],
)
def test_an_answer_that_is_no_page_proves_nothing(holder: Holder, page: bytes) -> None:
    holder.page = page
    split = Split()
    watch_holder("127.0.0.1", split, holder.server_port)
    holder.wait_until_asked(3)
    assert split.reasons == []
    holder.page = page_of(OTHER)
    split.wait()


def test_a_holder_that_is_not_there_yet_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lifecycle, "_WATCH_EVERY_S", 0.05)
    refused = threading.Semaphore(0)
    ask = _ipc_inode_at

    def ask_and_tell(host: str, port: int) -> str | None:
        answer = ask(host, port)
        if answer is None:
            refused.release()
        return answer

    monkeypatch.setattr(lifecycle, "_ipc_inode_at", ask_and_tell)
    split = Split()
    with Holder() as holder:  # its port is taken, and nobody serves it: every question times out
        watch_holder("127.0.0.1", split, holder.server_port)
        assert all(refused.acquire(timeout=20) for _ in range(3))
        assert split.reasons == []
        holder.page = page_of(OTHER)
        thread = threading.Thread(target=holder.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        split.wait()
        holder.shutdown()
        thread.join()
