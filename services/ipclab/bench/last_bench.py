"""The figures of the last bench as metrics, from the file that `./lab bench` leaves on a volume.

They have a page of their own, because they are many and change seldom: Prometheus asks for them every ten seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ipclab.metrics import definitions as metrics
from ipclab.metrics.definitions import Role, Sample
from ipclab.metrics.exposition import Page
from ipclab.metrics.page_server import PageServer

FAULTS_FILE = "faults.json"
LIMIT = "limit"  # the implementation of a limit of the machine, which is measured in C and compared with nothing
_PERCENTILES = {"p50_us": "50", "p99_us": "99", "p999_us": "99.9"}


# What json.loads and `samples` raise where the text is no bench.
_NO_BENCH = (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError)


class LastBench:
    """The samples of a file; read again when the file is another one.

    `of` makes the samples of the file's document, those of a bench by default.
    """

    def __init__(self, path: Path, of: Callable[[Any], Iterable[Sample]] | None = None) -> None:
        self._path, self._of = path, of or samples
        self._version = (0, 0)
        self._samples: list[Sample] = []

    def samples(self) -> Iterable[Sample]:
        """Those of the file as it is now; none without a file. A file of something else counts as none."""
        try:
            status = self._path.stat()
            version = (status.st_mtime_ns, status.st_ino)
            if version != self._version:
                self._version = version
                self._samples = list(self._of(json.loads(self._path.read_text(encoding="utf-8"))))
        except (OSError, *_NO_BENCH):
            self._samples = []
        return self._samples


def serve(path: Path, *others: Callable[[], Iterable[Sample]]) -> PageServer:
    """Serve the page in the background, with the samples of others that change as seldom."""
    sources = (LastBench(path).samples, *others)
    page = Page("", Role.BENCH, lambda: [sample for source in sources for sample in source()])
    server = PageServer(metrics.BENCH_PORT, page.text)
    server.start()
    return server


def samples(document: Mapping[str, Any]) -> Iterator[Sample]:
    """The samples of a bench's document: see docs/BENCH.md.

    :raises ValueError, KeyError, TypeError, AttributeError, OverflowError: it is none
    """
    for cell in document["cells"]:
        if not cell["why_not"]:
            yield from _of_cell(cell)
    yield Sample(metrics.BENCH_AT, float(document["at_unix_s"]))


def fault_samples(document: Mapping[str, Any]) -> Iterator[Sample]:
    """The samples of a fault matrix: `./lab fault matrix --json`. A pair that was not back has no time.

    :raises ValueError, KeyError, TypeError, AttributeError, OverflowError: it is none
    """
    for cell in document["cells"]:
        if (measured := cell["measured"]) is not None:
            labels, mechanism = (text(cell["fault"]),), text(cell["mechanism"])
            if measured["back_s"] is not None:
                yield Sample(metrics.FAULT_BACK, float(measured["back_s"]), labels, mechanism)
            yield Sample(metrics.FAULT_LOST, float(sum(measured["lost"].values())), labels, mechanism)
            yield Sample(metrics.FAULT_DIFFERS, bool(cell["differs"]), labels, mechanism)


def _of_cell(cell: Mapping[str, Any]) -> Iterator[Sample]:
    mechanism = text(cell["mechanism"])
    implementation = LIMIT if cell["limit"] else text(cell["implementation"])
    labels = (
        implementation,
        *(text(cell[name]) for name in ("size_bytes", "shape", "wait", "cpus")),
        *("yes" if cell[name] else "no" for name in ("copies", "touched")),
    )

    def sample(definition: metrics.Definition, value: float, *more: str) -> Sample:
        return Sample(definition, float(value), (*labels, *more), mechanism=mechanism)

    yield sample(metrics.BENCH_MESSAGE, cell["us"] / 1e6)
    for field, percentile in _PERCENTILES.items():
        if cell[field] is not None:
            yield sample(metrics.BENCH_PERCENTILE, cell[field] / 1e6, percentile)
    yield sample(metrics.BENCH_MESSAGES, cell["messages_per_s"])
    if cell["bytes_per_s"] is not None:
        yield sample(metrics.BENCH_BYTES, cell["bytes_per_s"])
    yield sample(metrics.BENCH_CPU, cell["cpu_us"] / 1e6)
    for kind in ("voluntary", "involuntary"):
        yield sample(metrics.BENCH_SWITCHES, cell[kind], kind)
    yield sample(metrics.BENCH_NOISY, cell["noisy"])


def text(value: object) -> str:
    """A label; a surrogate of a JSON text would fail later, when the page is encoded.

    :raises ValueError: it has one
    """
    label = str(value)
    label.encode()
    return label
