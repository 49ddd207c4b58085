"""`./lab bench`: its options, checked before anything starts."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from ipclab import mechanisms
from ipclab.bench.messages import HEADER_BYTES, MAX_BYTES
from ipclab.bench.request import Shape
from ipclab.contract.channel import Wait
from labctl.cli.types import OutputFolder, need_tools
from labctl.config.configuration import Configuration
from labctl.config.values import known_name, one_of, refuse, shown, whole_number
from labctl.terminal.errors import LabError

# What people would take instead, where the image has it.
COMPETITORS = ("iceoryx2", "multiprocessing_pipe", "multiprocessing_queue", "zeromq_ipc", "zeromq_tcp")
COSTS = ("footprint", "instrumentation")  # of the lab, not of the mechanisms
SIZES, QUICK_SIZES = "64,1K,8K,64K,1M", "64,64K,1M"
REPEAT, QUICK_REPEAT = 7, 3
_REPEAT = click.IntRange(1, 100)
_BUDGET_S, _QUICK_BUDGET_S = 265.0, 38.0  # of the rounds; starting and drawing take the rest of 5 minutes, and of one
_SIZE = re.compile(r"([1-9][0-9]{0,8})(K|KiB|M|MiB|B)?", re.IGNORECASE)
_FACTORS = {"K": 1 << 10, "M": 1 << 20, "B": 1}
T = TypeVar("T")


class BenchName(click.ParamType[str]):
    """A mechanism, a rival of it, or a cost of the lab."""

    name = "mechanism"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name itself.

        :raises BadInput: nothing that is measured is called so
        """
        del param, ctx
        return known_name(f"bench {shown(value)}", value, [*mechanisms.names(), *COMPETITORS, *COSTS])


class CommaSeparated(click.ParamType[tuple[Any, ...]]):
    """Values with commas between them, each once, in their order."""

    name = "list"

    def __init__(self, convert: Callable[[str, str], Any]) -> None:
        self._convert = convert

    def convert(
        self, value: str | tuple[Any, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[Any, ...]:
        """The values.

        :raises BadInput: one of them is none
        """
        del ctx
        assert param is not None
        if isinstance(value, tuple):
            return value
        what = f"{param.opts[0]} {shown(value)}"
        return tuple(dict.fromkeys(self._convert(what, text.strip()) for text in value.split(",")))


def _size(what: str, text: str) -> int:
    match = _SIZE.fullmatch(text)
    size = int(match[1]) * _FACTORS[(match[2] or "B")[0].upper()] if match else 0
    if not HEADER_BYTES <= size <= MAX_BYTES:
        raise refuse(
            what,
            expected=f"sizes from {HEADER_BYTES} to {MAX_BYTES} bytes with commas between them",
            hint=f"--sizes {SIZES}; K is 1024 bytes, M is 1024 K",
        )
    return size


def _word(*allowed: str) -> Callable[[str, str], str]:
    hint = f"{' or '.join(allowed)}, or several with commas between them"
    return lambda what, text: one_of(what, text, allowed, hint)


def check_bench_options(names: tuple[str, ...], cold: bool, as_json: bool, given: dict[str, object]) -> None:
    """A cost of the lab is measured alone, and without the options of the mechanisms.

    :raises BadInput: an option would change nothing, or two things are asked for at once
    :raises LabError: it needs Linux
    """
    costs = [name for name in names if name in COSTS]
    if cold and costs != ["footprint"]:
        what = f" with {' '.join(names)}" if names else ""
        raise refuse(f"--cold{what}", expected="--cold with footprint", hint="./lab bench footprint --cold")
    if not costs:
        return
    if len(names) > 1:
        raise refuse(f"bench {' '.join(names)}", expected=f"{costs[0]} alone", hint=f"./lab bench {costs[0]}")
    options = [option for option, value in {**given, "--json": as_json}.items() if value]
    if options:
        raise refuse(f"{options[0]} with {costs[0]}", expected=f"{costs[0]} without it", hint=f"./lab bench {costs[0]}")
    system = platform.system()
    if costs == ["instrumentation"] and system != "Linux":
        raise LabError(
            f"bench instrumentation makes system calls of Linux, and this is {system}",
            hint="./lab bench measures the mechanisms here; the containers have a Linux",
        )


@click.command(short_help="Measure how fast the mechanisms are, or what the lab costs.")
@click.argument("names", metavar="[MECHANISM]...", nargs=-1, type=BenchName())
@click.option("--sizes", type=CommaSeparated(_size), metavar="SIZE,...", help=f"Message sizes.  [default: {SIZES}]")
@click.option(
    "--shape",
    "shapes",
    type=CommaSeparated(_word(*Shape)),
    metavar="SHAPE,...",
    help="round-trip, one-way, burst.  [default: one-way, and the hand-over of round-trip]",
)
@click.option(
    "--wait",
    "waits",
    type=CommaSeparated(_word("block", "spin")),
    metavar="block,spin",
    default="block",
    show_default=True,
    help="How a receiver waits: asleep in the kernel, or looking again and again.",
)
@click.option(
    "--cpus",
    type=CommaSeparated(_word("one", "two")),
    metavar="one,two",
    default="one",
    show_default=True,
    help="Both sides pinned to one CPU, or to one each.",
)
@click.option(
    "--copies",
    type=CommaSeparated(_word("yes", "no")),
    metavar="yes,no",
    default="yes,no",
    show_default=True,
    help="Shared memory with its copies in and out, or in place; the others always copy.",
)
@click.option("--repeat", metavar="N", help=f"Runs of each figure.  [default: {REPEAT}, or what fits the time]")
@click.option("--quick", is_flag=True, help="Three sizes, three runs, one way: under a minute.")
@click.option("--compare", type=click.Path(path_type=Path), metavar="FILE", help="An earlier bench.json: what changed.")
@click.option("--output", "folder", type=OutputFolder(), default="bench", show_default=True, metavar="DIR")
@click.option("--json", "as_json", is_flag=True, help="Print the JSON instead of the tables.")
@click.option(
    "--cold", is_flag=True, help="footprint: also time a start without images; removes the lab's, and caches."
)
def bench(
    names: tuple[str, ...],
    sizes: tuple[int, ...] | None,
    shapes: tuple[str, ...] | None,
    waits: tuple[str, ...],
    cpus: tuple[str, ...],
    copies: tuple[str, ...],
    repeat: str | None,
    quick: bool,
    compare: Path | None,
    folder: Path,
    as_json: bool,
    cold: bool,
) -> None:
    """Measure the mechanisms one at a time, alone, beside the same in C and what people would take instead.

    The load of a running lab is paused meanwhile, and goes on afterwards. Each figure is the median of interleaved
    runs in containers that share what a pair shares. Two rows, never to be compared: hand-over (nobody reads the
    payload) and touched (every byte is written and read). Writes bench.json, .csv, .md and the plots into DIR, and
    publishes to the running lab's Prometheus. Exit code 1 if a mechanism lost or altered a message where it must not.

    footprint: seconds to start, memory, CPU of a lab of its own; stop yours first. instrumentation: the cost of
    measuring.

    \b
      ./lab bench
      ./lab bench --quick
      ./lab bench sysv_shm fifo --sizes 64,1M --shape one-way --cpus one,two
      ./lab bench --quick --compare bench/bench.json
      ./lab bench footprint --cold
      ./lab bench instrumentation
    """
    check_bench_options(
        names,
        cold,
        as_json,
        {"--sizes": sizes, "--shape": shapes, "--repeat": repeat, "--quick": quick, "--compare": compare},
    )
    hint = "a whole number of runs; the median of them is shown"
    runs = whole_number(f"--repeat {shown(repeat)}", repeat, _REPEAT, hint) if repeat is not None else None
    configuration = Configuration.load()
    if costs := [name for name in names if name in COSTS]:
        need_tools()
        from labctl.commands.test import run_tool

        raise click.exceptions.Exit(run_tool("bench", *costs, *(["--cold"] if cold else [])))

    from labctl.experiments.bench.document import read

    before = read(compare, "--compare") if compare else None
    need_tools()

    from labctl.experiments.bench.bench import Plan
    from labctl.experiments.bench.bench import bench as measure
    from labctl.experiments.bench.cells import Cpus, Selection
    from labctl.lab.lab import Lab

    default = (Shape.ONE_WAY,) if quick else (Shape.ONE_WAY, Shape.ROUND_TRIP)
    wanted_sizes = sizes or tuple(_size("", text) for text in (QUICK_SIZES if quick else SIZES).split(","))
    selection = Selection(
        mechanisms=names,
        sizes=tuple(sorted(wanted_sizes)),
        shapes=tuple(map(Shape, shapes)) if shapes else default,
        waits=tuple(map(Wait, waits)),
        cpus=tuple(map(Cpus, cpus)),
        copies=tuple(word == "yes" for word in copies),
        still=frozenset() if shapes else frozenset({Shape.ROUND_TRIP}),
    )
    plan = Plan(
        selection=selection,
        repeat=runs or (QUICK_REPEAT if quick else REPEAT),
        budget_s=_QUICK_BUDGET_S if quick else _BUDGET_S,
        may_cut=runs is None,
        options={
            "mechanisms": list(names),
            "sizes": list(selection.sizes),
            "shapes": list(selection.shapes),
            "waits": list(waits),
            "cpus": list(cpus),
            "copies": list(copies),
            "repeat": runs or (QUICK_REPEAT if quick else REPEAT),
            "quick": quick,
        },
    )
    measure(Lab(configuration), plan, folder, as_json, before)
