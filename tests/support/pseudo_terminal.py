"""A real terminal for a command of ours: a pseudoterminal of a given size (pty(7))."""

from __future__ import annotations

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from collections.abc import Mapping, Sequence

from labctl.config.paths import ROOT

_ESCAPES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


def run_on_terminal(
    arguments: Sequence[str], columns: int, rows: int = 24, environment: Mapping[str, str] | None = None
) -> tuple[int, list[str]]:
    """Run Python with these arguments; its exit code, and the lines that a person sees on stdout."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    inherited = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES", "NO_COLOR")}
    process = subprocess.Popen(
        [sys.executable, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=theirs,
        stderr=subprocess.PIPE,
        cwd=ROOT / "tests",  # where `-c` finds the tests' own modules
        env={**inherited, "TERM": "xterm", **(environment or {})},
    )
    os.close(theirs)
    shown = b""
    try:
        while some := os.read(ours, 65536):
            shown += some
    except OSError:  # EIO: the last writer has closed the other end
        pass
    finally:
        os.close(ours)
    _, complaints = process.communicate(timeout=60)
    text = _ESCAPES.sub("", shown.decode(errors="replace") + complaints.decode(errors="replace"))
    return process.returncode, text.replace("\r\n", "\n").splitlines()
