"""`./lab help` and `./lab version`."""

from __future__ import annotations

import click

from labctl.config.values import did_you_mean, refuse, shown


@click.command("help", short_help="Show this help, or the help of a command.")
@click.argument("words", nargs=-1, metavar="[COMMAND]...")
@click.pass_context
def help_(context: click.Context, words: tuple[str, ...]) -> None:
    """Show the help of `./lab`, or of one of its commands.

    \b
      ./lab help
      ./lab help swarm up
    """
    about = context.find_root()
    for word in words:
        group = about.command
        known = group.list_commands(about) if isinstance(group, click.Group) else []
        command = group.get_command(about, word) if isinstance(group, click.Group) else None
        if command is None:
            expected = f"one of {', '.join(known)}" if known else f"nothing after {about.command_path}"
            raise refuse(f"COMMAND {shown(word)}", expected=expected, hint=did_you_mean(word, known))
        about = click.Context(command, info_name=word, parent=about)
    click.echo(about.get_help())


@click.command(short_help="Show the versions of the lab, Python, Docker and Compose.")
def version() -> None:
    """Show the versions of the lab, Python, Docker and Compose. Changes nothing.

    \b
      ./lab version
    """
    from labctl.commands.version import show_version

    show_version()
