"""What is looked at without Grafana, of the running lab: the table in the terminal and the report."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import termios
from contextlib import suppress
from pathlib import Path

from lab.harness.stack import ROOT, Stack, wait_until
from labctl.config import compose_file
from labctl.lab.ports import free_port


def test_watch_prints_every_pair_once_where_the_output_is_no_terminal(stack: Stack) -> None:
    def all_measured() -> list[str] | None:
        done = stack.lab("watch")
        assert done.returncode == 0, done.stderr
        rows = [line.split() for line in done.stdout.splitlines()[2:] if line.split()[:1] and "/s" not in line]
        rows = [row for row in rows if row[0] in compose_file.declared()]
        return [row[0] for row in rows] if all("-" not in row[1:4] for row in rows) else None

    assert wait_until("figures of every pair", 20, all_measured) == compose_file.declared()


def test_on_a_terminal_watch_goes_on_until_ctrl_c(stack: Stack) -> None:
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 40, 120, 0, 0))
    environment = {**stack.environment, "TERM": "xterm"}
    process = subprocess.Popen([ROOT / "lab", "watch"], stdout=theirs, stderr=subprocess.PIPE, env=environment)
    os.close(theirs)
    shown = b""

    def refreshed() -> bool:
        nonlocal shown
        shown += os.read(ours, 1 << 16)
        return len(set(re.findall(rb"(\d\d:\d\d:\d\d)   Ctrl-C ends", shown))) >= 2

    try:
        wait_until("the table is shown again", 20, refreshed)
        process.send_signal(signal.SIGINT)
        # What nobody reads would keep the process from ending.
        with suppress(OSError):  # EIO: the other side is closed
            while os.read(ours, 1 << 16):
                pass
        assert process.wait(10) == 0
    finally:
        process.kill()
        process.wait(10)
        os.close(ours)
        assert process.stderr
        with process.stderr:
            said = process.stderr.read()
    assert said == b"", "leaving is no failure"


def test_the_report_is_whole_and_of_this_lab(stack: Stack, tmp_path: Path) -> None:
    done = stack.lab("report", "--since", "5m", "--output", str(tmp_path / "out"))
    assert done.returncode == 0, done.stderr
    page = tmp_path / "out" / "report.html"
    assert done.stdout.split() == [str(page)]
    pngs = {path.name for path in page.parent.glob("*.png")}
    assert {path.name for path in page.parent.iterdir()} == {page.name, *pngs}
    html = page.read_text()
    assert html.count('src="data:image/png;base64,') == len(pngs) >= 4
    assert f"project {stack.project}" in html
    text = " ".join(re.sub(r"<style.*?</style>|<[^>]+>", " ", html, flags=re.DOTALL).split())
    for mechanism in compose_file.declared():
        received = re.search(rf"{mechanism} ([\d,]+) s [\d,]+(?: to [\d,]+)? [\d,]+(?: to [\d,]+)? ([\d,]+) ", text)
        assert received, f"no row of {mechanism}"
        assert int(received[2].replace(",", "")) > 0
    assert "✗ ENOENT" in text, "the matrix is there"


def test_without_grafana_and_the_page_open_names_what_is_there(stack: Stack) -> None:
    done = stack.lab("open", LAB_GRAFANA_URL="http://127.0.0.1:9", LAB_PAGE_PORT=str(free_port()))
    assert (done.returncode, done.stdout) == (1, "")
    assert len(done.stderr.splitlines()) == 1
    assert f"Prometheus is there: http://127.0.0.1:{stack.prometheus_port}" in done.stderr
