"""`./lab bench`: print what the lab costs on this machine."""

from __future__ import annotations

import click

from bench import footprint, instrumentation


@click.command()
@click.option("--cold", is_flag=True, help="Also time a start without images: removes the lab's, and the build cache.")
def main(cold: bool) -> None:
    """Measure start, memory, CPU, and the cost of instrumentation."""
    for part in (footprint.report(cold=cold), instrumentation.report()):
        click.echo("\n".join(part))


if __name__ == "__main__":
    main()
