"""Images built from Debian's packages, for machines on which no registry answers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import docker

from labctl.engine import packages, registry
from labctl.engine.machine import Machine, this_machine
from labctl.terminal.errors import LabError
from labctl.terminal.progress import Step, step
from labctl.terminal.subprocesses import run

BASE = f"ipclab/base:{packages.RELEASE}"
PROMETHEUS = f"ipclab/prometheus-debian:{packages.RELEASE}"
ENGINE = f"ipclab/engine-debian:{packages.RELEASE}"
LABEL = "ipclab.instead-of"  # the image that a fallback image replaces
_PACKAGES = "python3,python3-venv,ca-certificates"
# What the official slim images leave out as well.
_EXCLUDED = ("/usr/share/man/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/doc/*")
# How an engine is told of the network's proxy; then `./lab up --pull` asks at once.
_REACH = {
    "Darwin": "behind a proxy, name it in Docker Desktop (Settings, Resources, Proxies), then ./lab up --pull",
}
_REACH_BY_DAEMON = (
    "behind a proxy, name it to the engine (https://docs.docker.com/engine/daemon/proxy), then ./lab up --pull"
)
_BRING = "bring it from another machine (docker save, docker load), or name a mirror's image in .env"


class BaseArchive:
    """The files of `BASE` in one archive. On a bare machine they are made while the engine is being installed."""

    def __init__(self, folder: Path) -> None:
        self.path = folder / "base.tar"
        self._tools_are_there = False

    def prepare_ahead(self, instead_of: str) -> None:
        """Install what makes it, where it is likely to be needed and can be made.

        :raises LabError: that fails, as `build_base` would
        """
        machine = this_machine()
        if machine.installs_packages and machine.may_become_root and registry.seems_silent(instead_of):
            self._install_tools(machine)

    def make_ahead(self) -> None:
        """Make it, where `prepare_ahead` saw that it is likely to be needed.

        :raises LabError: that fails
        """
        if self._tools_are_there:
            self.make(this_machine())

    def make(self, machine: Machine) -> None:
        """Make it, by mmdebstrap, from the mirror this machine's apt uses.

        :raises LabError: that fails
        """
        self._install_tools(machine)
        with step(f"Building {BASE} from Debian's packages") as current:
            _bootstrap(machine, self.path, current)

    def _install_tools(self, machine: Machine) -> None:
        packages.install(["mmdebstrap", "debian-archive-keyring"], why="The base image is built here", machine=machine)
        self._tools_are_there = True


@contextmanager
def base_archive() -> Iterator[BaseArchive]:
    """One that is not made yet; it is removed afterwards."""
    with tempfile.TemporaryDirectory() as folder:
        yield BaseArchive(Path(folder))


def build_base(client: docker.DockerClient, instead_of: str, archive: BaseArchive, absent: Sequence[str]) -> None:
    """Make `BASE`: Debian with its Python, out of the archive, which is made if it is not there.

    :param absent: every image that no registry gave, for the hint
    :raises LabError: no apt, no root, another architecture's engine, or no mirror
    """
    machine = this_machine()
    require_debian(machine, instead_of, absent)
    architecture = str(client.version()["Arch"])
    if architecture != machine.architecture:
        raise LabError(
            f"no registry answers for {instead_of}, and a {machine.architecture} machine cannot build it for "
            f"the {architecture} engine",
            hint=_BRING,
        )
    if not archive.path.exists():
        archive.make(machine)
    with step(f"Importing {BASE} into the engine"):
        changes = ['CMD ["python3"]', f"LABEL {LABEL}={instead_of}"]
        repository, tag = BASE.split(":")
        client.api.import_image_from_file(str(archive.path), repository, tag, changes=changes)


def build_prometheus(root: Path, python_image: str, instead_of: str) -> None:
    """Make `PROMETHEUS` on `python_image` out of Debian's package.

    :raises LabError: the build fails
    """
    file = root / "services/prometheus/compose.debian.yaml"
    _build(PROMETHEUS, "PROMETHEUS_STAND_IN", file, python_image, instead_of)


def build_engine(root: Path, python_image: str, instead_of: str) -> None:
    """Make `ENGINE` on `python_image` out of Debian's package.

    :raises LabError: the build fails
    """
    _build(ENGINE, "ENGINE_STAND_IN", root / "services/engine/compose.debian.yaml", python_image, instead_of)


def _build(name: str, variable: str, file: Path, python_image: str, instead_of: str) -> None:
    """`name` by the Compose file that expects it in `variable`."""
    with step(f"Building {name} from Debian's packages") as current:
        run(
            ["docker", "compose", "--project-name", "ipclab-fallback", "--file", str(file), "build"],
            step=current,
            hint=_BRING,
            environment={
                "BASE_IMAGE": python_image,
                "INSTEAD_OF": instead_of,
                variable: name,
                "BUILDKIT_PROGRESS": "plain",
            },
        )


def require_debian(machine: Machine, instead_of: str, absent: Sequence[str]) -> None:
    """Refuse where no fallback image can be built, and say what to do on such a machine.

    :raises LabError: this is no Debian or Ubuntu, or nobody may become root
    """
    if not machine.installs_packages or not machine.may_become_root:
        images = " ".join(absent)
        raise LabError(
            f"no registry answers for {instead_of}, and {machine.shown_name} cannot build it: that takes Debian or "
            "Ubuntu, and root or sudo",
            hint=f"{_REACH.get(machine.system, _REACH_BY_DAEMON)}; or where a registry answers: docker pull {images}, "
            f"docker save -o images.tar {images}; then here: docker load -i images.tar, ./lab up",
        )


def _bootstrap(machine: Machine, archive: Path, current: Step) -> None:
    command = [
        "mmdebstrap",
        "--variant=minbase",
        f"--include={_PACKAGES}",
        *(f"--dpkgopt=path-exclude={path}" for path in _EXCLUDED),
        "--dpkgopt=path-include=/usr/share/doc/*/copyright",  # as in the official images: the licences
        # As in the official images: an image that lost power is built again, so its files need no fsync(2).
        "--dpkgopt=force-unsafe-io",
        packages.RELEASE,
        str(archive),
        *packages.sources(machine),
    ]
    run(machine.as_root(command), step=current, hint="the mirror in /etc/apt must answer; " + _BRING)
    # Through sudo it is root's.
    if not machine.is_root:
        run(machine.as_root(["chmod", "644", str(archive)]), step=current, hint=_BRING)
