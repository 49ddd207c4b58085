"""Which namespaces this container is in: two containers share one when its inode is the same."""

from __future__ import annotations

import socket
import threading
import urllib.request
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path

from prometheus_client.parser import text_string_to_metric_families

KINDS = ("ipc", "mnt", "net", "pid")
_WATCH_EVERY_S = 2.0


def inodes() -> dict[str, str]:
    """Kind of namespace to inode number, of this process (namespaces(7))."""
    return {kind: str(Path(f"/proc/self/ns/{kind}").stat().st_ino) for kind in KINDS}


def container() -> str:
    """This container's short id, which Docker makes its host name."""
    return socket.gethostname()


def watch_holder(metrics_url: str, on_split: Callable[[str], None]) -> None:
    """In the background: call `on_split(reason)` once the holder is in another IPC namespace than we are.

    That happens when the holder crashed and came back: its members stay behind in the old namespace,
    where nobody who joins later can reach them. A holder that does not answer proves nothing.
    """

    def watch() -> None:
        ours = inodes()["ipc"]
        while True:
            theirs = _ipc_inode_at(metrics_url)
            if theirs is not None and theirs != ours:
                on_split(f"the holder is in IPC namespace {theirs}, we are in {ours}")
                return
            pause.wait(_WATCH_EVERY_S)

    pause = threading.Event()
    threading.Thread(target=watch, name="watch-holder", daemon=True).start()


def _ipc_inode_at(metrics_url: str) -> str | None:
    try:
        with urllib.request.urlopen(metrics_url, timeout=_WATCH_EVERY_S) as response:
            page = response.read().decode()
        for family in text_string_to_metric_families(page):
            for sample in family.samples:
                if sample.name == "ipc_namespace_info":
                    return sample.labels["ipc"]
    except (OSError, HTTPException, ValueError, LookupError):  # no answer; half of one; one that is no metrics page
        pass
    return None
