"""`./lab fault`: its commands, their options and their help. Options are checked before an engine is asked."""

from __future__ import annotations

import click
from click.shell_completion import CompletionItem

from labctl.cli.types import check_one_format, mechanisms_argument, seconds_of
from labctl.config.configuration import Configuration
from labctl.config.values import refuse, shown
from labctl.lab.project_lock import changing

_LONGEST_S = 24 * 3600


class FaultName(click.ParamType[str]):
    """A fault by its name."""

    name = "fault"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The name itself.

        :raises BadInput: no fault is called so
        """
        del param, ctx
        from labctl.faults import registry

        return registry.fault(value).name

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """The names that begin so."""
        del ctx, param
        from labctl.faults import registry

        found = registry.all_faults()
        return [CompletionItem(name, help=found[name].title) for name in found if name.startswith(incomplete)]


class Duration(click.ParamType[int]):
    """How long a fault goes on."""

    name = "duration"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """The seconds.

        :raises BadInput: the value is no duration, or longer than a day
        """
        del ctx
        assert param is not None
        seconds = seconds_of(str(value))
        if seconds is None or seconds > _LONGEST_S:
            raise refuse(
                f"{param.opts[0]} {shown(str(value))}",
                expected="a duration of at most 24h",
                hint="a whole number and s, m or h: --for 60s",
            )
        return seconds


@click.group("fault", short_help="Break a running pair on purpose, for a while, and compare with what is predicted.")
def fault_() -> None:
    """Faults by name. Each has a strength, an end, a mark on the graphs, and a predicted outcome.

    A fault ends by itself after --for, also if this terminal is closed or the machine slept, and everything is put
    back. `./lab reset` and `./lab up` end faults too; `./lab down` removes them with the lab.

    \b
      ./lab fault list
      ./lab fault start pause-consumer sysv_mq --for 20s
      ./lab fault status
      ./lab fault stop
    """


@fault_.command("list", short_help="Show the faults, and the mechanisms that each is for.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON, with the reason where a fault makes no sense.")
def list_(as_json: bool) -> None:
    """Show every fault: what it does, its strength, and for which mechanisms it makes sense.

    \b
      ./lab fault list
      ./lab fault list --json | jq '.faults[] | {name, refused}'
    """
    from labctl.commands import fault as commands

    commands.show_list(as_json=as_json)


@fault_.command("start", short_help="Begin a fault.")
@click.argument("name", metavar="NAME", type=FaultName())
@mechanisms_argument
@click.option("--strength", type=int, metavar="N", help="How strong, in the unit that ./lab fault list shows.")
@click.option(
    "--for", "for_s", type=Duration(), default="60s", show_default=True, metavar="TIME", help="How long: 60s, 5m, 1h."
)
@click.option("--yes", is_flag=True, help="Also where it restarts an engine that the lab did not start.")
def start(name: str, mechanisms: tuple[str, ...], strength: int | None, for_s: int, yes: bool) -> None:
    """Begin a fault on one pair or several, and come back. It ends by itself.

    Two faults on one pair are allowed where they do not change the same thing. Ctrl-C before the command is back
    leaves nothing behind.

    \b
      ./lab fault start kill-consumer fifo
      ./lab fault start latency tcp udp --strength 100 --for 2m
      ./lab fault start kill-holder --for 10s
    """
    from labctl.faults import registry
    from labctl.faults.running import check

    fault = registry.fault(name)
    targets = sorted(set(mechanisms)) or [""]
    for mechanism in targets:
        check(fault, mechanism, strength, [])
    configuration = Configuration.load()

    from labctl.commands import fault as commands
    from labctl.lab.lab import Lab

    with changing(configuration.project, f"./lab fault start {name}"):
        commands.start(Lab(configuration), fault, targets, strength, for_s, yes=yes)


@fault_.command("stop", short_help="End one fault, or all.")
@click.argument("name", metavar="[NAME]", type=FaultName(), required=False)
def stop(name: str | None) -> None:
    """End a fault before its time, and put everything back.

    \b
      ./lab fault stop
      ./lab fault stop latency
    """
    configuration = Configuration.load()

    from labctl.commands import fault as commands
    from labctl.lab.lab import Lab

    with changing(configuration.project, "./lab fault stop"):
        commands.stop(Lab(configuration), name)


@fault_.command("status", short_help="Show the faults that are on.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; times are seconds since 1970.")
def status(as_json: bool) -> None:
    """Show which faults are on, and how long each goes on.

    \b
      ./lab fault status
    """
    configuration = Configuration.load()

    from labctl.commands import fault as commands
    from labctl.lab.lab import Lab

    commands.show_status(Lab(configuration), as_json=as_json)


@fault_.command("matrix", short_help="Every fault on every pair: what is predicted, and what is measured.")
@click.argument("names", metavar="[NAME]...", type=FaultName(), nargs=-1)
@click.option("--quick", is_flag=True, help="One pair for each kind of sharing, and the shortest faults.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--markdown", "as_markdown", is_flag=True, help="Print the page docs/FAULTS.md.")
def matrix(names: tuple[str, ...], quick: bool, as_json: bool, as_markdown: bool) -> None:
    """Do every fault to every running pair for which it makes sense, one after the other, and measure.

    A cell says how long the pair took to be back, what was lost and why, which errno the producer got, and whether the
    kernel kept the object. Exit code 1 if a cell differs from its prediction.

    \b
      ./lab fault matrix --quick
      ./lab fault matrix kill-consumer cut
      ./lab fault matrix --markdown > docs/FAULTS.md
    """
    check_one_format("fault matrix", json=as_json, markdown=as_markdown)
    configuration = Configuration.load()

    from labctl.commands import fault_matrix
    from labctl.lab.lab import Lab

    with changing(configuration.project, "./lab fault matrix"):
        fault_matrix.run(Lab(configuration), names, quick=quick, as_json=as_json, as_markdown=as_markdown)
