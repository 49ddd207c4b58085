"""Figures of a bench as the harness makes them, of given times: for tables, plots, documents and comparisons."""

from __future__ import annotations

from ipclab.bench.request import Shape
from ipclab.contract.channel import Sharing, Wait
from labctl.experiments.bench.cells import Cell, Cpus, Row
from labctl.experiments.bench.document import Conditions
from labctl.experiments.bench.figures import Figure
from labctl.experiments.bench.run import Outcome

CONDITIONS = Conditions(
    machine={"cpus": 2, "processor": "a processor", "kernel": "6.18.0", "architecture": "x86_64", "python": "3.13.5"},
    versions={"python": "Python 3.13.5", "c": "gcc 14.2"},
    options={"sizes": [64]},
    absent=["pyzmq is not in this image"],
    seconds=12.5,
    rounds=3,
)


def a_cell(
    mechanism: str,
    size: int,
    shape: Shape = Shape.ONE_WAY,
    *,
    implementation: str = "python",
    copies: bool = True,
    touched: bool = False,
    max_bytes: int = 1 << 20,
    limit: bool = False,
) -> Cell:
    """A cell of a row that has everything."""
    row = Row(
        command=implementation,
        implementation=implementation,
        mechanism=mechanism,
        requires=frozenset({Sharing.VOLUME}),
        max_bytes=max_bytes,
        shapes=frozenset(Shape),
        waits=frozenset({Wait.BLOCK}),
        copies=frozenset({True, False}),
        ordered=True,
        reliable=True,
        together=False,
        limit=limit,
        version="1",
    )
    return Cell(row, size, shape, Wait.BLOCK, Cpus.ONE, copies, touched)


def figure(cell: Cell, *us: float, count: int = 1000, foreign: float = 0.02) -> Figure:
    """A run for each time per message, in microseconds."""
    return Figure(cell, [_outcome(cell, one, count, foreign) for one in us])


def _outcome(cell: Cell, us: float, count: int, foreign: float) -> Outcome:
    return Outcome(
        count=count,
        received=count,
        seconds=us * count / 1e6,
        samples_ns=tuple(int(us * 1000) + step for step in range(200)),
        cpu_s=us * count / 1e6,
        voluntary=count // 2,
        involuntary=count // 10,
        size=cell.size,
        lost=0,
        reordered=0,
        duplicated=0,
        corrupt=0,
        foreign_share=foreign,
        steal_share=0.01,
    )
