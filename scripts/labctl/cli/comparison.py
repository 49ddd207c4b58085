"""`./lab mechanisms`, `matrix` and `speedup`: the comparisons of the mechanisms, their options and their help."""

from __future__ import annotations

from pathlib import Path

import click

from ipclab import mechanisms as ipclab_mechanisms
from ipclab.matrix.placement import Placement
from ipclab.speedup import job
from labctl.cli.types import MechanismName, PlacementName, check_one_format
from labctl.config.configuration import Configuration
from labctl.config.values import known_name, one_of, refuse, shown, whole_number
from labctl.workshop.sheets.sheet import Language


class AnyMechanism(click.ParamType[str]):
    """A mechanism, whether it has a pair in compose.yaml or not."""

    name = "mechanism"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name itself.

        :raises BadInput: no mechanism is called so
        """
        del param, ctx
        return known_name(f"--mechanism {shown(value)}", value, ipclab_mechanisms.names())


class WorkerCounts(click.ParamType[tuple[int, ...]]):
    """Numbers of workers, with commas between them."""

    name = "numbers"

    def convert(
        self, value: str | tuple[int, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[int, ...]:
        """The numbers, from the smallest, each once.

        :raises BadInput: a part is not a number, or outside the limits
        """
        del param, ctx
        if isinstance(value, tuple):
            return value
        hint = "numbers of workers with commas between them, such as 1,2"
        what = f"--workers {shown(value)}"
        return tuple(sorted({whole_number(what, text, job.WORKERS, hint) for text in value.split(",")}))


class Within(click.ParamType[int]):
    """A whole number within limits."""

    name = "number"

    def __init__(self, allowed: click.IntRange, hint: str) -> None:
        self._allowed = allowed
        self._hint = hint

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number.

        :raises BadInput: the value is not a number, or outside the limits
        """
        del ctx
        assert param is not None
        text = str(value)
        return whole_number(f"{param.opts[0]} {shown(text)}", text, self._allowed, self._hint)


class SheetLanguage(click.ParamType[Language]):
    """A language that the sheets have."""

    name = "language"

    def convert(self, value: str | Language, param: click.Parameter | None, ctx: click.Context | None) -> Language:
        """The language.

        :raises BadInput: the sheets have no such language
        """
        del param, ctx
        known = [str(language) for language in Language]
        return Language(one_of(f"--language {shown(value)}", value, known, "./lab mechanisms --sheets --language ko"))


def check_sheet_options(sheets: bool, language: Language | None, bench: Path | None) -> None:
    """The language and the figures belong to the sheets.

    :raises BadInput: they were given without
    """
    given = [name for name, value in (("--language", language), ("--bench", bench)) if value is not None]
    if given and not sheets:
        raise refuse(
            f"mechanisms with {given[0]}", expected=f"--sheets with {given[0]}", hint="./lab mechanisms --sheets"
        )


JOB = Within(job.JOB, "the job counts the primes below this number")
CHUNKS = Within(job.CHUNKS, "number of tasks of the job")
ROUNDS = Within(job.ROUNDS, "number of comparisons; the medians are shown")


@click.command(short_help="Compare the mechanisms: the promises and the needs of each.")
@click.argument("mechanism", type=AnyMechanism(), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: every fact with its source.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the table of docs/MECHANISMS.md.")
@click.option("--sheets", is_flag=True, help="Print a sheet for each mechanism, as in docs/CHEATSHEET.md.")
@click.option("--language", type=SheetLanguage(), metavar="en|ko", help="Language of the sheets; en without it.")
@click.option(
    "--bench",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Add the figures of a bench.json of ./lab bench to the sheets.",
)
def mechanisms(
    mechanism: str | None, as_json: bool, as_markdown: bool, sheets: bool, language: Language | None, bench: Path | None
) -> None:
    """Compare the mechanisms: their promises, their needs, and the source of each fact.

    With a MECHANISM: every fact of it, the kernel's facts apart from the choices of the lab. Without: all mechanisms,
    also those without a pair in compose.yaml. Needs no Docker.

    \b
      ./lab mechanisms
      ./lab mechanisms posix_mq
      ./lab mechanisms --sheets --language ko --bench bench/bench.json
      ./lab mechanisms --json | jq '.mechanisms[] | {mechanism, persistence, source: .sources.persistence}'
    """
    check_one_format("mechanisms", json=as_json, markdown=as_markdown, sheets=sheets, MECHANISM=mechanism)
    check_sheet_options(sheets, language, bench)

    from labctl.commands.mechanisms import show_json, show_markdown, show_mechanisms, show_one, show_sheets

    if sheets:
        show_sheets(language or Language.ENGLISH, bench)
    elif as_json:
        show_json()
    elif as_markdown:
        show_markdown()
    elif mechanism:
        show_one(mechanism)
    else:
        show_mechanisms()


@click.command(short_help="Show which placement reaches which mechanism, and why not.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: seconds, errnos, reasons and their sources.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the table of README.md.")
@click.option(
    "--explain",
    nargs=2,
    type=(MechanismName(), PlacementName()),
    metavar="MECHANISM PLACEMENT",
    help="Show the evidence for one cell: namespaces, mounts, networks, the failed system call.",
)
def matrix(as_json: bool, as_markdown: bool, explain: tuple[str, Placement] | None) -> None:
    """Show mechanism by placement, as measured: reached or not, and the round-trip time.

    A responder answers on every mechanism. Probes ask it from the same container, and from containers that share with
    it only the IPC namespace and /dev/shm, only the IPC namespace, only a volume, or only a network. Exit code 1 if the
    lab is not running, or if a cell differs from what the mechanism's traits predict.

    \b
      ./lab matrix
      ./lab matrix --explain sysv_shm shared_network
      ./lab matrix --json | jq '.cells[] | select(.success | not) | {mechanism, placement, error}'
    """
    check_one_format("matrix", json=as_json, markdown=as_markdown, explain=explain)
    configuration = Configuration.load()

    from labctl.lab.lab import Lab
    from labctl.matrix.table import show_evidence, show_matrix

    if explain:
        show_evidence(Lab(configuration), *explain)
    else:
        show_matrix(Lab(configuration), "json" if as_json else "markdown" if as_markdown else "table")


@click.command(short_help="Split one job over workers, and measure the speedup.")
@click.option("--mechanism", type=AnyMechanism(), required=True, metavar="MECHANISM", help="Carries tasks and results.")
@click.option(
    "--workers", type=WorkerCounts(), default="1,2", show_default=True, metavar="N,...", help="Worker counts."
)
@click.option("--job", "limit", type=JOB, default=500_000, show_default=True, metavar="N", help="Count primes below N.")
@click.option("--chunks", type=CHUNKS, default=64, show_default=True, metavar="N", help="Number of tasks.")
@click.option("--rounds", type=ROUNDS, default=5, show_default=True, metavar="N", help="Number of comparisons.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: seconds, ratios, and every round in ns.")
def speedup(mechanism: str, workers: tuple[int, ...], limit: int, chunks: int, rounds: int, as_json: bool) -> None:
    """Split one CPU-bound job over worker containers, and compare the time with that of one process.

    Needs no running lab and leaves nothing behind. Stop a running lab first, or its load is in the figures.
    Any mechanism carries tasks and results. More chunks cost more messages; fewer chunks leave workers idle.

    \b
      ./lab speedup --mechanism sysv_mq --workers 1,2
      ./lab speedup --mechanism tcp --workers 2 --chunks 2000
      ./lab speedup --mechanism udp --workers 1,2,4 --json | jq '.comparisons[] | {workers, speedup}'
    """
    configuration = Configuration.load()

    from labctl.experiments.speedup.speedup import compare
    from labctl.lab.lab import Lab

    compare(Lab(configuration), mechanism, workers, limit=limit, chunks=chunks, rounds=rounds, as_json=as_json)
