"""The cells of a bench: what is measured, of all that could be; and what cannot be, with the reason."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from ipclab.bench.request import Shape
from ipclab.contract.channel import Sharing, Wait

PYTHON = "python"
OURS = (PYTHON, "c")  # the implementations of the lab itself, in the order of the tables
_NO_SIZE = 64  # what a limit is asked with that has no size


class Cpus(StrEnum):
    """On how many CPUs the two processes run, each pinned to one."""

    ONE = "one"
    TWO = "two"


class Place(StrEnum):
    """What the two containers share in which a row is measured; `ALONE` is one container for both halves."""

    IPC = "ipc"  # Docker's `ipc:` shares the IPC namespace and /dev/shm
    VOLUME = "volume"
    NETWORK = "network"
    ALONE = "alone"


@dataclass(frozen=True, slots=True)
class Row:
    """One implementation of one mechanism, as it describes itself: see `ipclab.bench.endpoint`.

    `command` is the first word of its command line. `together`: both halves are one process that forks. `limit`: a
    limit of the machine, no rival of mechanisms.
    """

    command: str
    implementation: str
    mechanism: str
    requires: frozenset[Sharing]
    max_bytes: int
    shapes: frozenset[Shape]
    waits: frozenset[Wait]
    copies: frozenset[bool]
    ordered: bool
    reliable: bool
    together: bool
    limit: bool
    version: str

    @classmethod
    def of(cls, command: str, described: Mapping[str, Any]) -> Row:
        """The row of one entry of `--describe`.

        :raises KeyError, ValueError: it is no such entry
        """
        return cls(
            command=command,
            implementation=described["implementation"],
            mechanism=described["mechanism"],
            requires=frozenset(map(Sharing, described["requires"])),
            max_bytes=int(described["max_bytes"]),
            shapes=frozenset(map(Shape, described["shapes"])),
            waits=frozenset(map(Wait, described["waits"])),
            copies=frozenset(word == "yes" for word in described["copies"]),
            ordered=bool(described["ordered"]),
            reliable=bool(described["reliable"]),
            together=bool(described["together"]),
            limit=bool(described["limit"]),
            version=str(described["version"]),
        )

    @property
    def place(self) -> Place:
        """Where it is measured: with what it needs, and no more."""
        if self.together or not self.requires:
            return Place.ALONE
        if self.requires & {Sharing.IPC_NAMESPACE, Sharing.DEV_SHM}:
            return Place.IPC
        return Place.VOLUME if Sharing.VOLUME in self.requires else Place.NETWORK


@dataclass(frozen=True, slots=True)
class Cell:
    """One figure. `size` in bytes, header included. `touched`: every byte is written and read; else handed over."""

    row: Row
    size: int
    shape: Shape
    wait: Wait
    cpus: Cpus
    copies: bool
    touched: bool

    @property
    def why_not(self) -> str:
        """Why this cannot be measured, in a few words; empty if it can."""
        row = self.row
        if self.size > row.max_bytes:
            return f"not possible: limit {row.max_bytes:,} B"
        if self.wait not in row.waits:
            return f"not possible: cannot {self.wait}"
        return ""

    def labels(self) -> dict[str, str]:
        """The labels of its metrics, and the first columns of its row."""
        return {
            "implementation": self.row.implementation,
            "mechanism": self.row.mechanism,
            "size": str(self.size),
            "shape": str(self.shape),
            "wait": str(self.wait),
            "cpus": str(self.cpus),
            "copies": yes_no(self.copies),
            "touched": yes_no(self.touched),
        }


def yes_no(flag: bool) -> str:
    """The word of a label."""
    return "yes" if flag else "no"


@dataclass(frozen=True, slots=True)
class Selection:
    """What was asked for. `mechanisms` is empty for all; of the shapes in `still` only the hand-over is wanted."""

    mechanisms: tuple[str, ...]
    sizes: tuple[int, ...]
    shapes: tuple[Shape, ...]
    waits: tuple[Wait, ...]
    cpus: tuple[Cpus, ...]
    copies: tuple[bool, ...]
    still: frozenset[Shape] = frozenset()

    def cells(self, rows: Iterable[Row]) -> list[Cell]:
        """The cells in the order in which a round measures them: those that are compared lie side by side."""
        chosen = [row for row in rows if not self.mechanisms or row.limit or row.mechanism in self.mechanisms]
        found = [cell for row in chosen for cell in self._of(row)]
        order = {implementation: index for index, implementation in enumerate(OURS)}
        found.sort(
            key=lambda cell: (
                cell.row.limit,
                self.shapes.index(cell.shape) if cell.shape in self.shapes else -1,
                cell.touched,
                cell.size,
                cell.row.mechanism,
                cell.copies,
                order.get(cell.row.implementation, len(order)),
            )
        )
        return found

    def _of(self, row: Row) -> Iterator[Cell]:
        if row.limit:
            yield from _limit_cells(row, self.sizes)
            return
        for shape in self.shapes:
            if shape not in row.shapes:
                continue
            for size in self.sizes:
                for wait, cpus in ((wait, cpus) for wait in self.waits for cpus in self.cpus):
                    for copies in (copies for copies in self.copies if copies in row.copies):
                        for touched in (False,) if shape in self.still else (False, True):
                            yield Cell(row, size, shape, wait, cpus, copies, touched)


def _limit_cells(row: Row, sizes: Sequence[int]) -> Iterator[Cell]:
    """Of a limit: only a copy has sizes. A hop between two CPUs, and a wake-up of another process, need two."""
    shape, wait = min(row.shapes), min(row.waits)
    sizes = sizes if row.mechanism == "memory_copy" else (_NO_SIZE,)
    cpus = Cpus.TWO if row.mechanism in ("cache_line_hop", "futex_wake") else Cpus.ONE
    for size in sizes:
        yield Cell(row, size, shape, wait, cpus, copies=True in row.copies, touched=False)


def rows_of(described: Mapping[str, Mapping[str, Any]]) -> tuple[list[Row], list[str]]:
    """The rows of all implementations, and a line for each that is absent."""
    rows: list[Row] = []
    absent: list[str] = []
    for command, document in described.items():
        if "absent" in document:
            absent.append(str(document["absent"]))
        rows += [Row.of(command, entry) for entry in document.get("rows", ())]
    if not any(row.implementation == "c" for row in rows):
        absent.append("the C reference is absent: this image was built without a compiler")
    return rows, absent


def unknown(mechanisms: Collection[str], rows: Iterable[Row]) -> list[str]:
    """Those that no row has."""
    known = {row.mechanism for row in rows}
    return [name for name in mechanisms if name not in known]
