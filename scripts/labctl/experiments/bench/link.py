"""The two agents of a group, and what they say. An agent is in a container, or a process of this machine (tests)."""

from __future__ import annotations

import json
import queue
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from labctl.terminal.errors import LabError

Event = dict[str, Any]
_CLOSED = {"event": "closed"}


class Link:
    """One agent. Its events go to a queue that the links of a group share, each with the link's name.

    :param write: sends bytes to the agent's stdin
    :param lines: the lines of the agent's stdout, until it ends
    """

    def __init__(
        self,
        name: str,
        write: Callable[[bytes], object],
        lines: Iterable[bytes],
        events: queue.Queue[tuple[str, Event]],
    ) -> None:
        self.name = name
        self._write = write
        self._lines = lines
        self._events = events
        threading.Thread(target=self._read, name=f"bench {name}", daemon=True).start()

    def start(self, words: list[str], cpu: int, deadline_s: float) -> None:
        """Start an endpoint; see `ipclab.bench.agent`."""
        self._say(json.dumps({"start": words, "cpu": cpu, "deadline_s": deadline_s}))

    def describe(self) -> None:
        """Ask for the `machine` event."""
        self._say(json.dumps({"describe": True}))

    def go(self) -> None:
        """Let the endpoint that is warm begin."""
        self._say(json.dumps({"go": True}))

    def stop(self) -> None:
        """Kill the endpoint that runs, if one does."""
        self._say(json.dumps({"stop": True}))

    def _say(self, line: str) -> None:
        try:
            self._write(line.encode() + b"\n")
        except OSError as error:
            raise LabError(f"the bench's {self.name} does not listen: {error}", hint="./lab doctor") from None

    def _read(self) -> None:
        try:
            for line in self._lines:
                self._events.put((self.name, _event(line)))
        except (OSError, ValueError):
            pass  # the container is gone; the queue says so
        finally:
            self._events.put((self.name, _CLOSED))


def _event(line: bytes) -> Event:
    """What the agent says; another program that writes to its stdout says noise."""
    try:
        event = json.loads(line)
        if isinstance(event, dict) and isinstance(event.get("event"), str):
            return event
    except (ValueError, RecursionError):
        pass
    return {"event": "noise", "message": line.decode(errors="replace")}


class Group:
    """The consumer's agent and the producer's, and where their channels meet.

    `root` is the beginning of each path, `hosts` where the consumer and the producer receive, `port` the first of two.
    """

    CONSUMER, PRODUCER = "consumer", "producer"

    def __init__(self, root: str, hosts: tuple[str, str], port: int) -> None:
        self.root = root
        self.hosts = hosts
        self.port = port
        self.events: queue.Queue[tuple[str, Event]] = queue.Queue()
        self.links: dict[str, Link] = {}

    def add(self, name: str, write: Callable[[bytes], object], lines: Iterable[bytes]) -> None:
        """Begin to read what the agent `name` says."""
        self.links[name] = Link(name, write, lines, self.events)

    def next(self, deadline: float) -> tuple[str, Event]:
        """The next event of either agent.

        :raises LabError: an agent has ended, or none came before `deadline` (time.monotonic())
        """
        try:
            name, event = self.events.get(timeout=max(0.0, deadline - time.monotonic()))
        except queue.Empty:
            raise LabError("the bench's containers say nothing", hint="./lab doctor; run it again") from None
        if event["event"] == "closed":
            raise LabError(f"the bench's {name} has ended", hint="out of memory? ./lab doctor; run it again")
        return name, event
