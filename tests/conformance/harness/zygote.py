"""A process that has imported everything and forks endpoints on demand.

A fresh interpreter costs a third of a second and a test needs two to forty of them; a fork costs some
milliseconds. An endpoint is a process of its own all the same, with its own descriptors, and can be killed.

The zygote is told by datagrams on standard input, one command each: "start" with the endpoint's standard
input and output passed along (SCM_RIGHTS), or "reap" with a process id. Each is answered by one number: the
process id, or the exit code (negative for a signal). Endpoints that nobody reaped are killed at the end.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import sys
from typing import NoReturn

from conformance.harness import endpoint
from ipclab import mechanisms

_MAX_COMMAND_BYTES = 4096


def main() -> None:
    """Serve until the other side of the socket closes."""
    control = socket.socket(fileno=os.dup(0))
    for name in mechanisms.names():
        mechanisms.load(name)
    alive: set[int] = set()
    while True:
        text, descriptors, _, _ = socket.recv_fds(control, _MAX_COMMAND_BYTES, 2)
        if not text:
            break
        command = json.loads(text)
        if command["do"] == "start":
            answer = os.fork()
            if answer == 0:
                control.close()
                _become_endpoint(descriptors, command["mechanism"], command["address"])
            alive.add(answer)
        else:
            alive.discard(command["pid"])
            answer = os.waitstatus_to_exitcode(os.waitpid(command["pid"], 0)[1])
        for descriptor in descriptors:
            os.close(descriptor)
        control.send(str(answer).encode())
    for pid in alive:
        os.kill(pid, signal.SIGKILL)


def _become_endpoint(descriptors: list[int], mechanism: str, address: dict[str, object]) -> NoReturn:
    """In the child: what a fresh interpreter that runs `conformance.harness.endpoint` would be."""
    code = 1
    try:
        for target, descriptor in enumerate(descriptors):
            os.dup2(descriptor, target)
            os.close(descriptor)
        endpoint.main(mechanism, address)
        sys.stdout.flush()
        code = 0
    except BaseException:  # noqa: BLE001 - the end of this process: say what happened, as an interpreter does
        sys.excepthook(*sys.exc_info())
    finally:
        os._exit(code)


if __name__ == "__main__":
    main()
