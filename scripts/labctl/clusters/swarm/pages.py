"""What the tasks of the stack export, asked over the stack's own network from a task on this node.

So a task on a node that cannot be reached is seen as what it is: silent.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass

from docker.models.containers import Container as DockerContainer
from prometheus_client.parser import text_string_to_metric_families

from ipclab.matrix.placement import Placement
from ipclab.metrics import definitions as metrics
from labctl.clusters.swarm.nodes import Manager
from labctl.lab.containers import read_again
from labctl.matrix.cells import Cell, of_pages
from labctl.terminal.errors import LabError

# A name that nobody has is asked for outside of the stack, where nobody answers: once, for a second (resolv.conf(5)).
_RESOLVER = {"RES_OPTIONS": "timeout:1 attempts:1"}
# A service may have two tasks at once, after a link was cut and has healed: all its addresses are asked.
_SCRIPT = """
import json, socket, sys, urllib.request
from concurrent.futures import ThreadPoolExecutor
port, first, *services = sys.argv[1:]
def pages(service):
    found = []
    try:
        addresses = sorted({a[4][0] for a in socket.getaddrinfo(service, port, type=socket.SOCK_STREAM)})
    except OSError:
        return found
    for address in addresses:
        try:
            found.append(urllib.request.urlopen(f"http://{address}:{port}/metrics", timeout=2).read().decode())
        except OSError:
            pass
    return found
with ThreadPoolExecutor(max(1, len(services))) as pool:
    consumers, others = services[:int(first)], services[int(first):]
    found = dict(zip(consumers, list(pool.map(pages, consumers))))
    print(json.dumps({**found, **dict(zip(others, pool.map(pages, others)))}))
"""


@dataclass(frozen=True)
class Page:
    """The samples of one task: (series, labels, value)."""

    samples: list[tuple[str, dict[str, str], float]]

    def total(self, series: str) -> int:
        """The sum of a series."""
        return int(sum(value for name, _, value in self.samples if name == series))

    def errors(self) -> list[str]:
        """The kernel's errors of a producer, the most frequent first."""
        met = [(value, labels["errno"]) for name, labels, value in self.samples if name == "ipc_send_errors_total"]
        return [errno for value, errno in sorted(met, reverse=True) if value]


def read(manager: Manager, reader: DockerContainer, services: Collection[str]) -> dict[str, list[Page]]:
    """Service to the pages of its tasks; none where nobody answers.

    :raises LabError: the task that was to ask does not run
    """
    # The consumers first: what a producer has sent by then is at least what its consumer had received.
    consumers = [name for name in services if name.endswith("-consumer")]
    others = [name for name in services if not name.endswith("-consumer")]
    command = ["python", "-c", _SCRIPT, str(metrics.PORT), str(len(consumers)), *consumers, *others]
    ran = read_again(lambda: manager.execute(reader, command, _RESOLVER))
    if ran.code:
        raise LabError(f"no task of this node can ask the others: {ran.said}", hint="./lab swarm up starts them")
    texts: dict[str, list[str]] = ran.answer()
    return {service: [_page(text) for text in found] for service, found in texts.items()}


def cells(pages: Mapping[str, list[Page]], placements: Iterable[Placement]) -> list[Cell]:
    """The matrix, from the pages of responder and probes."""
    return of_pages((sample for found in pages.values() for page in found for sample in page.samples), placements)


def _page(text: str) -> Page:
    families = text_string_to_metric_families(text)
    return Page([(s.name, dict(s.labels), s.value) for family in families for s in family.samples])
