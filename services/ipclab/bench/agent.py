"""The agent in each container of a bench: starts endpoints, one at a time, and lets them go.

A line of JSON on stdin is a command, a line on stdout an event. `{"describe": true}` is answered by what can be
measured here, `{"start": [word, …], "cpu": n, "deadline_s": s}` starts an endpoint. The first word is an
implementation in Python (it runs in a fork of this process, which has imported it: no interpreter starts) or the path
of an executable. The endpoint writes its events to the agent's stdout. Meanwhile `{"go": true}` becomes the line that
an endpoint waits for, and `{"stop": true}` kills it. At its end an `exit` event follows, with what the machine's CPUs
did meanwhile: CPU time of the endpoint (wait4(2)), and of all CPUs (proc_stat(5)).
"""

from __future__ import annotations

import importlib
import json
import os
import pkgutil
import platform
import select
import signal
import subprocess
import sys
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from ipclab import mechanisms
from ipclab.linux.processor_time import ProcessorTime

# Implementations in Python, by name: modules with `main(argv) -> exit code`.
IN_PYTHON = {"python": "ipclab.bench.python"}
_COMPETITORS = "ipclab.competitors"
REFERENCE = "LAB_REFERENCE"
_REFERENCE = Path("/opt/lab/reference")
_DESCRIBE_WITHIN_S = 10.0
_CALL = "import importlib, sys; sys.exit(importlib.import_module(sys.argv[1]).main(sys.argv[2:]))"


class Agent:
    """The agent of this process."""

    def __init__(self) -> None:
        self._python = {**IN_PYTHON, **_competitors()}

    def serve(self) -> int:
        """Obey until stdin ends; the exit code."""
        for name in mechanisms.names():
            mechanisms.load(name)
        for module in self._python.values():
            with suppress(ImportError):  # `--describe` says what is absent
                importlib.import_module(module)
        while line := _line():
            command = json.loads(line)
            if "describe" in command:
                _say({"event": "machine", **self.describe()})
            elif "start" in command:  # others are for an endpoint that has ended
                self.start(command["start"], command["cpu"], command["deadline_s"])
        return 0

    def describe(self) -> dict[str, Any]:
        """The machine, the CPUs that may be used here, and what each implementation says of itself."""
        described = {name: _described([sys.executable, "-c", _CALL, module]) for name, module in self._python.items()}
        directory = Path(os.environ.get(REFERENCE, _REFERENCE))
        executables = sorted(directory.iterdir()) if directory.is_dir() else []
        described |= {str(path): _described([str(path)]) for path in executables if os.access(path, os.X_OK)}
        return {
            "implementations": described,
            "cpus": sorted(os.sched_getaffinity(0)),
            "kernel": platform.release(),
            "processor": _processor(),
            "architecture": platform.machine(),
            "python": platform.python_version(),
        }

    def start(self, words: Sequence[str], cpu: int, deadline_s: float) -> None:
        """Run one endpoint to its end; kill it after `deadline_s`."""
        before = ProcessorTime.now()
        reading, writing = os.pipe()
        pid = os.fork()
        if not pid:
            os.dup2(reading, 0)
            os.close(reading)
            os.close(writing)
            self._be_the_endpoint(words, cpu)
        os.close(reading)
        killed = _watch(pid, writing, deadline_s)
        os.close(writing)
        _, status, usage = os.wait4(pid, 0)
        after = ProcessorTime.now()
        _say(
            {
                "event": "exit",
                "code": os.waitstatus_to_exitcode(status),
                "killed": killed,
                "own_cpu_s": usage.ru_utime + usage.ru_stime,
                "busy_s": after.busy_s - before.busy_s,
                "steal_s": after.steal_s - before.steal_s,
                "wall_s": after.at_s - before.at_s,
                "cpus": after.cpus,
            }
        )

    def _be_the_endpoint(self, words: Sequence[str], cpu: int) -> None:
        code = 1
        try:
            os.sched_setaffinity(0, {cpu})
            name, *arguments = words
            if name in self._python:
                code = importlib.import_module(self._python[name]).main(arguments)
                sys.stdout.flush()
            else:
                signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # Python ignores it, and execve(2) would keep that
                os.execv(name, list(words))
        except SystemExit as end:
            code = end.code if isinstance(end.code, int) else 1
        except BaseException:  # noqa: BLE001 - a fork must not go on as its parent; the traceback is for the log
            traceback.print_exc()
        finally:
            sys.stderr.flush()
            os._exit(code)


def _competitors() -> dict[str, str]:
    try:
        package = importlib.import_module(_COMPETITORS)
    except ImportError:
        return {}
    names = (module.name for module in pkgutil.iter_modules(package.__path__))
    return {name: f"{_COMPETITORS}.{name}" for name in names if not name.startswith("_")}


def _described(command: Sequence[str]) -> dict[str, Any]:
    try:
        ran = subprocess.run(
            [*command, "--describe"], capture_output=True, timeout=_DESCRIBE_WITHIN_S, check=False, text=True
        )
        document: dict[str, Any] = json.loads(ran.stdout)
    except (OSError, ValueError, subprocess.TimeoutExpired) as error:
        return {"absent": f"{command[-1]} does not describe itself: {error}"}
    return document


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()


def _watch(pid: int, stdin: int, deadline_s: float) -> bool:
    """Pass commands on until the endpoint has ended. It is killed after `deadline_s`, or on request: True then."""
    deadline = time.monotonic() + deadline_s
    descriptor = os.pidfd_open(pid)
    try:
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        poll.register(0, select.POLLIN)
        while True:
            ready = dict(poll.poll(max(0.0, deadline - time.monotonic()) * 1000))
            if descriptor in ready:
                return False
            command = json.loads(_line() or b'{"stop": true}') if ready else {"stop": True}
            if "go" in command:
                with suppress(BrokenPipeError):
                    os.write(stdin, b"go\n")
            elif "stop" in command:
                os.kill(pid, signal.SIGKILL)
                return True
    finally:
        os.close(descriptor)


def _line() -> bytes:
    """The next line of stdin, byte by byte, so that `poll` knows of each. Empty at its end."""
    line = b""
    while byte := os.read(0, 1):
        if byte == b"\n":
            return line
        line += byte
    return b""


def _say(document: dict[str, Any]) -> None:
    os.write(1, json.dumps(document).encode() + b"\n")
