"""Agents of a bench as processes of this machine: the harness, the endpoints and the channels are the real ones."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

from labctl.experiments.bench.cells import Place
from labctl.experiments.bench.link import Group


@contextmanager
def local_groups(directory: Path, *places: Place) -> Iterator[dict[Place, Group]]:
    """A group for each place; the agents end with the block."""
    groups, agents = {}, []
    try:
        for place in places:
            root = f"bench-test-{os.getpid()}-" if place is Place.IPC else f"{directory}/bench-"
            group = Group(root, ("127.0.0.1", "127.0.0.1"), _two_ports())
            for name in (Group.CONSUMER, Group.PRODUCER)[: 1 if place is Place.ALONE else 2]:
                agent = subprocess.Popen(
                    [sys.executable, "-m", "ipclab", "bench-agent"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
                )
                agents.append(agent)
                assert agent.stdin
                assert agent.stdout
                group.add(name, partial(os.write, agent.stdin.fileno()), agent.stdout)
            groups[place] = group
        yield groups
    finally:
        for agent in agents:
            assert agent.stdin
            agent.stdin.close()
        for agent in agents:
            agent.wait(30)
            assert agent.stdout
            agent.stdout.close()


def _two_ports() -> int:
    while True:
        port = random.randrange(20_000, 30_000)
        with socket.socket() as first, socket.socket() as second:
            try:
                first.bind(("127.0.0.1", port))
                second.bind(("127.0.0.1", port + 1))
            except OSError:
                continue
        return port
