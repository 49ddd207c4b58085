"""What compares the mechanisms: `./lab mechanisms`, `matrix`, `speedup`."""

from __future__ import annotations

import click

from ipclab.matrix.placement import Placement
from labctl.arguments import MechanismName, PlacementName, check_one_format
from labctl.config.configuration import Configuration
from labctl.speedup_arguments import CHUNKS, JOB, ROUNDS, AnyMechanism, WorkerCounts


@click.command(short_help="Compare the mechanisms: what each promises and needs.")
@click.argument("mechanism", type=AnyMechanism(), required=False)
@click.option("--json", "as_json", is_flag=True, help="Print JSON: every fact, whose it is, and where it is written.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the table of docs/MECHANISMS.md.")
def mechanisms(mechanism: str | None, as_json: bool, as_markdown: bool) -> None:
    """Compare the mechanisms: what each promises, what it needs, and where that is written.

    With a MECHANISM: every fact of this one, the kernel's facts apart from the lab's way of using it. Without: every
    mechanism there is, also those that have no pair in compose.yaml. Needs no Docker.

    \b
      ./lab mechanisms
      ./lab mechanisms posix_mq
      ./lab mechanisms --json | jq '.mechanisms[] | {mechanism, persistence, source: .sources.persistence}'
    """
    check_one_format("mechanisms", json=as_json, markdown=as_markdown, MECHANISM=mechanism)

    from labctl.commands.mechanisms import show_json, show_markdown, show_mechanisms, show_one

    if as_json:
        show_json()
    elif as_markdown:
        show_markdown()
    elif mechanism:
        show_one(mechanism)
    else:
        show_mechanisms()


@click.command(short_help="Show from where each mechanism can be reached, and why not.")
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
    """Show mechanism by placement, measured: what can be reached with what in common, and how fast.

    A responder answers by every mechanism. Probes ask it: from the same container, and from containers that share with
    it the IPC namespace only, a volume only, a network only. Exit code 1 if the lab is not running, or if a cell
    differs from what the mechanism's traits predict.

    \b
      ./lab matrix
      ./lab matrix --explain sysv_shm shared_network
      ./lab matrix --json | jq '.cells[] | select(.success | not) | {mechanism, placement, error}'
    """
    check_one_format("matrix", json=as_json, markdown=as_markdown, explain=explain)
    configuration = Configuration.load()

    from labctl.matrix import show_evidence, show_matrix

    if explain:
        show_evidence(configuration, *explain)
    else:
        show_matrix(configuration, "json" if as_json else "markdown" if as_markdown else "table")


@click.command(short_help="Split one job over workers, and measure what that brings.")
@click.option("--mechanism", type=AnyMechanism(), required=True, metavar="MECHANISM", help="How they communicate.")
@click.option("--workers", type=WorkerCounts(), default="1,2", show_default=True, metavar="N,...", help="How many.")
@click.option("--job", "limit", type=JOB, default=500_000, show_default=True, metavar="N", help="Count primes below N.")
@click.option("--chunks", type=CHUNKS, default=64, show_default=True, metavar="N", help="Tasks it is split into.")
@click.option("--rounds", type=ROUNDS, default=5, show_default=True, metavar="N", help="How often to compare.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: seconds, ratios, and every round in ns.")
def speedup(mechanism: str, workers: tuple[int, ...], limit: int, chunks: int, rounds: int, as_json: bool) -> None:
    """Split one CPU-bound job over worker containers, and compare with one process that does it alone.

    Needs no running lab and leaves nothing behind; stop a running one first, or its load is in the figures.
    Any mechanism carries tasks and results. More chunks cost more messages, fewer leave workers without.

    \b
      ./lab speedup --mechanism sysv_mq --workers 1,2
      ./lab speedup --mechanism tcp --workers 2 --chunks 2000
      ./lab speedup --mechanism udp --workers 1,2,4 --json | jq '.comparisons[] | {workers, speedup}'
    """
    configuration = Configuration.load()

    from labctl.speedup import compare

    compare(configuration, mechanism, workers, limit=limit, chunks=chunks, rounds=rounds, as_json=as_json)
