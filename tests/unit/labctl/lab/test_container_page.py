"""What a container of the lab shows of how it works: its real command, and its page."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from labctl.lab.ports import free_port

_WITHIN_S = 20.0


@contextmanager
def page_of(mechanism: str, folder: Path, **environment: str) -> Iterator[str]:
    """The page of a consumer that was started with these variables."""
    port = free_port()
    options = {"path": folder / "channel", "state": folder, "alive": folder / "alive", "metrics-port": port}
    command = [sys.executable, "-m", "ipclab", "consumer", mechanism]
    command += [word for name, value in options.items() for word in (f"--{name}", str(value))]
    with subprocess.Popen(command, env={**os.environ, **environment}, stderr=subprocess.DEVNULL) as process:
        try:
            yield _page(port)
        finally:
            process.terminate()


def _page(port: int) -> str:
    give_up = time.monotonic() + _WITHIN_S
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=1) as answer:
                return str(answer.read().decode())
        except OSError:
            assert time.monotonic() < give_up, "it shows no page"
            time.sleep(0.05)


@pytest.mark.parametrize(
    ("mechanism", "asked", "shown"),
    [("mmap_file", {}, "block"), ("mmap_file", {"LAB_WAIT": "spin"}, "spin"), ("plain_file", {}, "block")],
)
def test_how_it_waits_is_shown_as_asked(mechanism: str, asked: dict[str, str], shown: str, tmp_path: Path) -> None:
    with page_of(mechanism, tmp_path, **asked) as page:
        waits = [line for line in page.splitlines() if line.startswith("ipc_wait_info{")]
    assert waits == [f'ipc_wait_info{{mechanism="{mechanism}",role="consumer",wait="{shown}"}} 1']


def test_how_its_switches_stand_is_shown_as_asked(tmp_path: Path) -> None:
    with page_of("plain_file", tmp_path, LAB_APPEND_LOCK="off", LAB_RACE_LOCK="off") as page:
        stand = {
            line.split("switch=")[1].split('"')[1]: line.split()[-1] for line in page.splitlines() if "switch=" in line
        }
    assert stand == {"lock": "0", "fsync": "0", "sync": "0"}
