"""Starts endpoints in processes of their own, and talks to them."""

from __future__ import annotations

import json
import select
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ipclab.channel import Address

_ROOT = Path(__file__).parents[2]
_ANSWER_WITHIN_S = 30.0


class PeerError(Exception):
    """The endpoint raised a ChannelError: its class and its errno by name."""

    def __init__(self, kind: str, errno_name: str) -> None:
        super().__init__(kind, errno_name)
        self.kind = kind
        self.errno_name = errno_name


class Peer:
    """One endpoint process."""

    def __init__(self, mechanism: str, address: Address) -> None:
        text = json.dumps({**asdict(address), "path": str(address.path)})
        self._process = subprocess.Popen(
            [sys.executable, "-m", "conformance.endpoint", mechanism, text],
            cwd=_ROOT,
            env={"PYTHONPATH": f"{_ROOT / 'services'}:{_ROOT / 'tests'}"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            bufsize=1,
        )
        assert self._process.stdin
        assert self._process.stdout
        self._input, self._output = self._process.stdin, self._process.stdout

    def begin(self, do: str, **arguments: Any) -> None:
        """Give a command without waiting for the answer."""
        self._input.write(json.dumps({"do": do, **arguments}) + "\n")

    def line(self) -> str:
        """The next line it prints; empty when it ended."""
        ready, _, _ = select.select([self._output], [], [], _ANSWER_WITHIN_S)
        assert ready, f"the endpoint hangs: no answer within {_ANSWER_WITHIN_S} s"
        return self._output.readline()

    def end(self) -> Any:
        """The answer to the command given.

        :raises PeerError: the endpoint raised a ChannelError
        """
        answer = json.loads(self.line())
        if "error" in answer:
            raise PeerError(answer["error"], answer["errno"])
        return answer["result"]

    def do(self, command: str, **arguments: Any) -> Any:
        """Give a command and wait for the answer."""
        self.begin(command, **arguments)
        return self.end()

    def numbers_until_end(self) -> list[int]:
        """What a killed `stream` had said: the numbers of the messages that were taken."""
        lines = self._output.read().splitlines(keepends=True)
        return [int(line) for line in lines if line.endswith("\n") and line.strip().isdigit()]

    def kill(self) -> None:
        """SIGKILL."""
        self._process.kill()
        self._process.wait()

    def stop(self) -> None:
        """Let it end; it must do so by itself and cleanly."""
        self._input.close()
        code = self._process.wait(_ANSWER_WITHIN_S)
        self._output.close()
        assert code in (0, -9), f"the endpoint ended with {code}"
