"""`python -m MODULE` in a process of its own, forked from one that has imported what costs time and changes nothing.

A fresh interpreter spends more time on importing than the command line on refusing bad input, and there are hundreds of
cases. What is forked here has no module of the lab's command line yet: it imports that itself, from the given
folders.
"""

from __future__ import annotations

import multiprocessing
import os
import runpy
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

_SERVER = multiprocessing.get_context("forkserver")
# What `labctl` and `ipclab` import when they start or refuse, and neither of the two itself.
_SERVER.set_forkserver_preload(
    [
        *("argparse", "click.shell_completion", "concurrent.futures.thread", "configparser", "difflib", "secrets"),
        *("docker", "dotenv", "rich.live", "rich.table", "tomllib", "yaml"),
        *(
            "ipclab.container_role",
            "ipclab.accounting.shared",
            "ipclab.matrix.placement",
            "ipclab.matrix.responder",
            "ipclab.speedup.roles",
        ),
    ]
)


def run_module(
    module: str,
    arguments: Sequence[str],
    *,
    environment: Mapping[str, str],
    folder: Path,
    search: Sequence[Path] = (),
    within_s: float = 30,
) -> subprocess.CompletedProcess[str]:
    """Run it in `folder` with this environment and no other, and with modules from the folders `search` first.

    Python's own variables are not heeded.
    """
    with tempfile.TemporaryDirectory() as outputs:
        paths = [Path(outputs, name) for name in ("stdout", "stderr")]
        process = _SERVER.Process(
            target=_become, args=(module, [*arguments], {**environment}, folder, [*search], paths), daemon=True
        )
        process.start()
        process.join(within_s)
        process.kill()
        assert process.exitcode is not None, f"{module} {' '.join(arguments)} runs for more than {within_s} s"
        output, said = (path.read_text() for path in paths)
    return subprocess.CompletedProcess([module, *arguments], process.exitcode, output, said)


def _become(
    module: str,
    arguments: list[str],
    environment: dict[str, str],
    folder: Path,
    search: list[Path],
    outputs: list[Path],
) -> None:
    """In the child: what a fresh interpreter does."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.path[:0] = map(str, search)
    for descriptor, path in enumerate(outputs, start=1):
        with path.open("wb") as file:
            os.dup2(file.fileno(), descriptor)
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
