"""What the page costs: CPU and memory of the page and of Prometheus, with so many browsers.

    python -m bench.page PROJECT PORT --browsers 0 1 20 --seconds 60

A browser is stood in for by what it holds open: it loads the page with its files once, then reads the stream of
numbers. Its drawing costs the machine that it runs on. CPU is the containers' own (cgroup).
"""

from __future__ import annotations

import argparse
import re
import sys
import threading
import time
from dataclasses import dataclass

import docker
import requests

_SERVICES = ("page", "prometheus")
_MIB = 1 << 20
_HREF = re.compile(r"""(?:href|src)=["'](/[^"']+)["']""")


@dataclass(frozen=True)
class Cost:
    """Of one service over the time: share of one core, and MiB at its end."""

    cpu: float
    memory_mib: float


def browse(url: str, stop: threading.Event, loaded: threading.Semaphore) -> None:
    """One browser, until it is told to stop."""
    session = requests.Session()
    session.trust_env = False
    for path in {match[1] for match in _HREF.finditer(session.get(f"{url}/", timeout=60).text)}:
        session.get(f"{url}{path}", timeout=60)
    with session.get(f"{url}/live", stream=True, timeout=60) as stream:
        loaded.release()
        for _ in stream.iter_lines():
            if stop.is_set():
                return


def measure(client: docker.DockerClient, project: str, url: str, browsers: int, seconds: float) -> dict[str, Cost]:
    """The cost of each service while so many browsers look."""
    stop, loaded = threading.Event(), threading.Semaphore(0)
    threads = [threading.Thread(target=browse, args=(url, stop, loaded), daemon=True) for _ in range(browsers)]
    for thread in threads:
        thread.start()
    for _ in threads:
        loaded.acquire()
    time.sleep(5)  # what loading cost is not what looking costs
    containers = {name: client.containers.get(f"{project}-{name}-1") for name in _SERVICES}
    begin = time.monotonic()
    before = {name: container.stats(stream=False) for name, container in containers.items()}
    time.sleep(seconds)
    after = {name: container.stats(stream=False) for name, container in containers.items()}
    took_ns = (time.monotonic() - begin) * 1e9
    stop.set()
    for thread in threads:
        thread.join(10)
    used = {name: [of[name]["cpu_stats"]["cpu_usage"]["total_usage"] for of in (before, after)] for name in _SERVICES}
    return {
        name: Cost((used[name][1] - used[name][0]) / took_ns, after[name]["memory_stats"]["usage"] / _MIB)
        for name in _SERVICES
    }


def main() -> None:
    """Measure, and print a line for each number of browsers."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("project")
    parser.add_argument("port", type=int)
    parser.add_argument("--browsers", type=int, nargs="+", default=[0, 1, 20])
    parser.add_argument("--seconds", type=float, default=60)
    chosen = parser.parse_args()
    client = docker.from_env()
    for browsers in chosen.browsers:
        costs = measure(client, chosen.project, f"http://127.0.0.1:{chosen.port}", browsers, chosen.seconds)
        each = ", ".join(f"{name} {cost.cpu:.1%} {cost.memory_mib:.0f} MiB" for name, cost in costs.items())
        sys.stdout.write(f"{browsers} browsers: {sum(cost.cpu for cost in costs.values()):.1%} of a core ({each})\n")


if __name__ == "__main__":
    main()
