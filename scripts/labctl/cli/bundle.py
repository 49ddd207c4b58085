"""`./lab bundle`: its commands, their options and their help."""

from __future__ import annotations

from pathlib import Path

import click

from labctl.cli.exercise_types import NewFile
from labctl.cli.types import is_possible
from labctl.config.configuration import Configuration
from labctl.config.values import one_of, refuse, shown
from labctl.lab.project_lock import changing
from labctl.terminal.errors import BadInput

_PYTHONS = ("3.11", "3.12", "3.13", "3.14")
_PLATFORMS = ("linux/amd64", "linux/arm64")


class NewBundle(NewFile):
    """A tar file that can be made."""

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path.

        :raises BadInput: its folder does not exist, or it is called otherwise
        """
        del param, ctx
        path = Path(value)
        possible = path.suffix == ".tar" and is_possible(path)
        if not possible or path.is_dir() or not path.absolute().parent.is_dir():
            raise refuse(
                f"FILE {shown(str(value))}",
                expected="a name that ends in .tar, in a folder that exists",
                hint="./lab bundle create ipclab.tar",
            )
        return path.absolute()


class Bundle(click.ParamType[Path]):
    """A file that exists."""

    name = "file"

    def convert(self, value: str | Path, param: click.Parameter | None, ctx: click.Context | None) -> Path:
        """The path.

        :raises BadInput: there is no such file
        """
        del param, ctx
        path = Path(value)
        if not path.is_file():
            raise BadInput(f"there is no file {shown(str(value))}", hint="./lab bundle create FILE.tar makes one")
        return path


class Python(click.ParamType[str]):
    """A Python that the command line runs on."""

    name = "python"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The version.

        :raises BadInput: it is none
        """
        del param, ctx
        return one_of(f"--python {shown(value)}", value, _PYTHONS, "the Python of the machines in the room")


class Platform(click.ParamType[str]):
    """What Docker calls an operating system with an architecture."""

    name = "platform"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The platform.

        :raises BadInput: it is none
        """
        del param, ctx
        return one_of(f"--platform {shown(value)}", value, _PLATFORMS, "docker version shows the engine's")


@click.group("bundle", short_help="Everything in one file, for a room without network.")
def bundle_() -> None:
    """Put everything that the lab fetches into one file, and load it where there is no network.

    \b
      ./lab bundle create ipclab.tar
      ./lab bundle load ipclab.tar
      ./lab up
    """


@bundle_.command(short_help="Write the bundle.")
@click.argument("file", metavar="FILE.tar", type=NewBundle())
@click.option(
    "--python",
    "pythons",
    type=Python(),
    multiple=True,
    metavar="3.N",
    help="Python of the machines in the room; repeatable.  [default: 3.11, 3.12, 3.13]",
)
@click.option("--platform", type=Platform(), metavar="OS/ARCH", help="The engine's platform; another one is refused.")
@click.option("--no-second-engine", is_flag=True, help="Leave out the image of ./lab hosts and swarm.")
def create(file: Path, pythons: tuple[str, ...], platform: str | None, no_second_engine: bool) -> None:
    """Write the images, and the Python packages for the command line, the reports and the tests, into FILE.tar.

    With checksums, versions and licences. Images are built or pulled first where they are missing.

    \b
      ./lab bundle create ipclab.tar
      ./lab bundle create ipclab.tar --python 3.12 --no-second-engine
      DOCKER_CONTEXT=pi ./lab bundle create ipclab-arm64.tar --platform linux/arm64
    """
    configuration = Configuration.load()

    from labctl.commands import bundle
    from labctl.workshop.bundle.wheels import PYTHONS

    with changing(configuration.project, "./lab bundle create"):
        bundle.create(
            configuration, file, sorted(set(pythons)) or PYTHONS, platform, second_engine=not no_second_engine
        )


@bundle_.command(short_help="Load the bundle into the engine and this clone.")
@click.argument("file", metavar="FILE.tar", type=Bundle())
def load(file: Path) -> None:
    """Check FILE.tar, load its images into the engine, and its Python packages into this clone.

    Nothing is changed by a file that is damaged, truncated, of another architecture or of another version of the lab.

    \b
      ./lab bundle load ipclab.tar
    """
    configuration = Configuration.load()

    from labctl.commands import bundle

    with changing(configuration.project, "./lab bundle load"):
        bundle.load(configuration, file)
