"""`./lab class`: its commands, their options and their help."""

from __future__ import annotations

import platform
import re
from collections.abc import Callable
from pathlib import Path

import click

from labctl.cli.exercise_types import NewFile
from labctl.cli.types import Seconds, need_tools
from labctl.config import compose_file
from labctl.config.configuration import Configuration, lab_image, project_name
from labctl.config.values import known_name, refuse, shown, whole_number
from labctl.lab.project_lock import changing

_MOST = 200
_SEED = re.compile(r"[\w .@-]{1,50}")


class LabCount(click.ParamType[int]):
    """How many labs."""

    name = "number"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The number.

        :raises BadInput: it is none, or too many
        """
        del param, ctx
        return whole_number(
            f"NUMBER {shown(str(value))}", str(value), click.IntRange(1, _MOST), "labs, one per student"
        )


class PairList(click.ParamType[tuple[str, ...]]):
    """Mechanisms, with commas between them."""

    name = "pairs"

    def convert(
        self, value: str | tuple[str, ...], param: click.Parameter | None, ctx: click.Context | None
    ) -> tuple[str, ...]:
        """The names, each once, in order.

        :raises BadInput: no pair is called so
        """
        del param, ctx
        if not isinstance(value, str):
            return value
        known = compose_file.declared()
        return tuple(sorted({known_name(f"--pairs {shown(value)}", name.strip(), known) for name in value.split(",")}))


class FirstPort(click.ParamType[int]):
    """Where the ports of a class begin."""

    name = "port"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The port.

        :raises BadInput: it is none that a user may listen on
        """
        del param, ctx
        hint = "each lab takes the next free ports"
        return whole_number(f"--first-port {shown(str(value))}", str(value), click.IntRange(1024, 65000), hint)


class Seed(click.ParamType[str]):
    """What the names of the students' values begin with."""

    name = "seed"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The word.

        :raises BadInput: it is no name
        """
        del param, ctx
        if not _SEED.fullmatch(value) or value != value.strip():
            raise refuse(
                f"--seed {shown(value)}",
                expected="a name of up to 50 letters, digits, blanks, _, ., @ and -",
                hint="--seed autumn26",
            )
        return value


def _options(command: Callable[..., None]) -> Callable[..., None]:
    pairs = click.option("--pairs", type=PairList(), metavar="NAME,NAME", help="The pairs of each lab; all by default.")
    first = click.option(
        "--first-port", type=FirstPort(), default=20000, show_default=True, metavar="PORT", help="The first lab's port."
    )
    return pairs(first(command))


def _output_options(command: Callable[..., None]) -> Callable[..., None]:
    output = click.option(
        "--output", type=NewFile(), default="class.html", show_default=True, metavar="FILE.html", help="Cards to print."
    )
    server = click.option("--server", default=platform.node, metavar="NAME", help="This machine's name on the cards.")
    return output(server(command))


@click.group("class", short_help="Many labs on one engine, one for each student.")
def class_() -> None:
    """Run a lab for each student of a class on one engine.

    Each lab has a project name, ports, System V keys, a user of its own for its containers, and a seed for the values
    of the exercises. COMPOSE_PROJECT_NAME names the class; its labs are called NAME-s01, NAME-s02 and so on.

    \b
      ./lab class limits --pairs fifo,tcp
      ./lab class up 20 --pairs fifo,tcp
      ./lab class status
      ./lab class down
    """


@class_.command(short_help="Start the labs, and write a card for each.")
@click.argument("number", metavar="NUMBER", type=LabCount())
@_options
@click.option("--seed", type=Seed(), metavar="WORD", help="Seeds are WORD-01, WORD-02; else the project's.")
@_output_options
@click.option(
    "--timeout",
    "timeout_s",
    type=Seconds(),
    default=120,
    show_default=True,
    metavar="SECONDS",
    help="Seconds until a started lab must move messages.",
)
@click.option("--overcommit", is_flag=True, help="Start them though memory or CPUs are too few by the estimate.")
@click.option("--pull", is_flag=True, help="Ask also registries that did not answer in the last ten minutes.")
def up(
    number: int,
    pairs: tuple[str, ...] | None,
    first_port: int,
    seed: str | None,
    output: Path,
    server: str,
    timeout_s: int,
    overcommit: bool,
    pull: bool,
) -> None:
    """Start NUMBER labs, wait until each moves messages, and write the cards.

    First computes how many labs fit: address pools, ports, POSIX queues, memory, CPUs. Labs that do not fit are refused
    before anything starts. A second call starts only what is missing. The labs have no Grafana; each has its page and
    its Prometheus.

    \b
      ./lab class up 20 --pairs fifo,tcp
      ./lab class up 20 --pairs sysv_mq,posix_mq --seed autumn26
      LAB_RATE=50 ./lab class up 10
    """
    base = Configuration.load()
    wanted = pairs or tuple(compose_file.declared())
    base.check_size(wanted, "class up")
    need_tools()

    from labctl.commands import classroom

    with changing(base.project, "./lab class up"):
        classroom.up(
            base,
            number,
            wanted,
            seed=seed or "",
            first_port=first_port,
            cards=output,
            server=server,
            timeout_s=timeout_s,
            overcommit=overcommit,
            ask_again=pull,
        )


@class_.command(short_help="Show how many labs fit, and what bounds them.")
@_options
def limits(pairs: tuple[str, ...] | None, first_port: int) -> None:
    """Show what one lab takes, what the engine's machine has, and how many labs fit. Starts no lab.

    Address pools, ports and POSIX queues are counted. Memory and CPUs are estimates, from what such containers took.

    \b
      ./lab class limits --pairs fifo,tcp
    """
    base = Configuration.load()

    from labctl.commands import classroom

    with changing(base.project, "./lab class limits"):
        classroom.show_limits(base, pairs or tuple(compose_file.declared()), first_port)


@class_.command(short_help="Show all labs as one table.")
def status() -> None:
    """Show one row for each lab: containers, pairs, messages, losses, memory, CPU, the page's address.

    \b
      ./lab class status
    """
    project = project_name()

    from labctl.commands import classroom

    classroom.show_status(project)


@class_.command(short_help="Write the table of all labs as a page for the browser.")
@click.option(
    "--output", type=NewFile(), default="overview.html", show_default=True, metavar="FILE.html", help="The page."
)
@click.option("--every", "every_s", type=Seconds(), metavar="SECONDS", help="Write it again and again, until Ctrl-C.")
def overview(output: Path, every_s: int | None) -> None:
    """Write the table of `./lab class status` as an HTML file, with a link to the page of each lab.

    With --every the browser reads it again by itself. A lab that is down, or in which a pair moves nothing, is marked.

    \b
      ./lab class overview
      ./lab class overview --every 10
    """
    project = project_name()
    need_tools()

    from labctl.commands import classroom

    classroom.write_overview(project, output, every_s)


@class_.command(short_help="Write the cards of the students again.")
@_output_options
def cards(output: Path, server: str) -> None:
    """Write one HTML file with a card for each student, to print: project, seed, addresses, commands.

    \b
      ./lab class cards --output class.html --server lab.example.org
    """
    project = project_name()
    need_tools()

    from labctl.commands import classroom

    classroom.print_cards(project, output, server)


@class_.command(short_help="Remove all labs of the class.")
def down() -> None:
    """Remove every container, network and volume of every lab of the class. Images stay.

    \b
      ./lab class down
    """
    project = project_name()

    from labctl.commands import classroom

    with changing(project, "./lab class down"):
        classroom.down(project, lab_image())
