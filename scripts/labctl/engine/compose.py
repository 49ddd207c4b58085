"""The command `docker compose`: its plugin (2.17 or newer, installed if missing), and its runs on compose.yaml.

Compose gets the checked values and no others.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import docker

from labctl.config.paths import COMPOSE_FILE, ROOT
from labctl.engine import engine, packages
from labctl.engine.machine import Machine, this_machine
from labctl.terminal.errors import LabError
from labctl.terminal.progress import Step, say, step
from labctl.terminal.subprocesses import run

OLDEST = (2, 17)  # `depends_on.restart`, without which a restarted holder splits the pairs
_NOT_FOR_ALL = (1, 44)  # the least API of Docker Engine 29, https://docs.docker.com/engine/release-notes/29
_TOO_OLD = re.compile(r"client version (\S+) is too old\. Minimum supported API version is (\d+\.\d+)")
# The engine's words when each block of its address pools has a network; Engine 20.10's and 28's.
_NO_ADDRESSES = ("non-overlapping IPv4 address pool", "predefined address pools have been fully subnetted")
_MORE_ADDRESSES = (
    "each lab takes five of the engine's address blocks (docker network ls): ./lab down in another lab; many labs on "
    "one engine are ./lab class up, which cuts one block into small subnets"
)
_HINT = "install it, and run this again: https://docs.docker.com/compose/install/linux"


def ensure_compose() -> str:
    """The version of a Compose that is new enough, installed first if there is none.

    :raises LabError: this is no Debian or Ubuntu, or nothing new enough can be installed
    """
    machine = this_machine()
    _ensure_command(machine)
    if version := _usable_version():
        return version
    _install(machine)
    if version := _usable_version():
        return version
    raise LabError(f"Compose was installed, and `docker compose version` still says {compose_version()!r}", hint=_HINT)


def require_common_api(client: docker.DockerClient) -> None:
    """Docker Engine 29 takes no API older than 1.44, and an older Compose knows no newer one.

    :raises LabError: the two have no version of the API in common
    """
    answer = client.version()
    if (parse_version(str(answer.get("MinAPIVersion", ""))) or (0, 0)) < _NOT_FOR_ALL:
        return
    command = ["docker", "compose", "ls", "--quiet"]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    if too_old := _TOO_OLD.search(done.stderr):
        raise LabError(
            f"Compose {compose_version()} speaks Docker's API {too_old[1]}, and {engine.name_of(answer)} "
            f"{answer['Version']} takes {too_old[2]} or newer",
            hint="a newer Compose plugin: https://docs.docker.com/compose/install/linux",
        )


def install_plugin() -> None:
    """The plugin, where there is none that is new enough; the docker command may still be missing.

    :raises LabError: as `ensure_compose` does
    """
    if _usable_version() is None:
        _install(this_machine())


def parse_version(text: str) -> tuple[int, int] | None:
    """(2, 26) out of "2.26.1-4", "v2.17.0", "Docker Compose version v2.40.3+ds1"; None if there is none."""
    match = re.search(r"(\d+)\.(\d+)", text)
    return (int(match[1]), int(match[2])) if match else None


def compose_version() -> str:
    """What `docker compose version` says; "" without the plugin, or without the command."""
    if shutil.which("docker") is None:
        return ""
    command = ["docker", "compose", "version", "--short"]
    result = subprocess.run(command, capture_output=True, encoding="utf-8", errors="replace", check=False)
    return result.stdout.strip() if result.returncode == 0 else ""


def _usable_version() -> str | None:
    text = compose_version()
    version = parse_version(text)
    return text if version and version >= OLDEST else None


def _ensure_command(machine: Machine) -> None:
    if shutil.which("docker") is not None:
        return
    if not machine.installs_packages:
        raise LabError(f"the docker command is missing, and {machine.name} is no Debian or Ubuntu", hint=_HINT)
    packages.refresh_if_unknown(["docker.io"], machine)
    # Debian 13 has it in a package of its own.
    name = "docker-cli" if packages.candidate("docker-cli") else "docker.io"
    packages.install([name], why="The docker command is missing", machine=machine)


def _install(machine: Machine) -> None:
    """The distribution's own Compose v2, or Debian 13's plugin where it has none (Debian 12)."""
    old = compose_version()
    why = f"Compose {old} is older than {OLDEST[0]}.{OLDEST[1]}" if old else "The Compose v2 plugin is missing"
    if not machine.installs_packages:
        raise LabError(f"{why}, and {machine.name} is no Debian or Ubuntu: the lab cannot install it", hint=_HINT)
    packages.refresh_if_unknown(["docker-compose"], machine)
    for name in ("docker-compose-v2", "docker-compose"):
        version = packages.candidate(name)
        if version and (parse_version(version) or (0, 0)) >= OLDEST:
            # Newer Compose builds through buildx, which it only recommends.
            buildx = ["docker-buildx"] if packages.candidate("docker-buildx") else []
            packages.install([name, *buildx], why=why, machine=machine)
            return
    mirrors = packages.sources(machine)
    if not mirrors:
        raise LabError(f"{why}, {machine.name} has no package of it and no Debian mirror in its sources", hint=_HINT)
    say(f"{why}: taking the plugin out of Debian {packages.RELEASE}'s docker-compose package")
    with step("Installing the Compose plugin") as current, tempfile.TemporaryDirectory() as folder:
        _extract_plugin(mirrors[0], Path(folder), current)


def _extract_plugin(source: str, folder: Path, current: Step) -> None:
    """Fetch the package with an apt of its own in `folder`, so that the system's sources stay as they are.

    apt verifies it against Debian's keyring, and keeps the system's proxy settings.
    """
    for name in ("state", "cache", "lists"):
        (folder / name).mkdir()
    (folder / "status").touch()
    (folder / "sources.list").write_text(f"{source}\n", encoding="utf-8")
    settings = {
        "Dir::Etc::sourcelist": folder / "sources.list",
        "Dir::Etc::sourceparts": "/dev/null",
        "Dir::Etc::preferencesparts": "/dev/null",
        "Dir::State": folder / "state",
        "Dir::State::lists": folder / "lists",
        "Dir::State::status": folder / "status",
        "Dir::Cache": folder / "cache",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",  # the folder is private, and apt's own user cannot enter it
    }
    apt = ["apt-get", "-q", *(part for key, value in settings.items() for part in ("-o", f"{key}={value}"))]
    hint = "the mirror in /etc/apt must answer; or install Compose 2.17 or newer yourself"
    run([*apt, "update"], step=current, hint=hint, cwd=folder)
    run([*apt, "download", "docker-compose"], step=current, hint=hint, cwd=folder)
    package = next(folder.glob("docker-compose_*.deb"))
    run(["dpkg-deb", "--extract", str(package), str(folder / "package")], step=current, hint=hint)
    plugins = Path(os.environ.get("DOCKER_CONFIG") or Path.home() / ".docker") / "cli-plugins"
    plugins.mkdir(parents=True, exist_ok=True)
    # Beside its final name first: another ./lab may be running the plugin right now.
    unfinished = plugins / f".docker-compose.{os.getpid()}"
    shutil.copy(folder / "package/usr/libexec/docker/cli-plugins/docker-compose", unfinished)
    unfinished.chmod(0o755)
    unfinished.rename(plugins / "docker-compose")
    say(f"Installed {plugins / 'docker-compose'}")


def start(services: Sequence[str], environment: Mapping[str, str], scale: Mapping[str, int]) -> None:
    """Create and start `services` and what they depend on; what runs as it should is left alone.

    :param scale: how many containers of a service, where it is not one

    :raises LabError: Compose failed; its last lines are in the message
    """
    replicas = [f"--scale={service}={number}" for service, number in scale.items()]
    _run(["up", "--detach", "--no-build", *replicas, *services], "Starting containers", environment)


def create(services: Sequence[str], environment: Mapping[str, str]) -> None:
    """Create the containers of `services` that are missing, as `start` would, and start none of them.

    Without their dependencies (`up --no-deps`), Compose 2.26 would give them another configuration hash, and the next
    `start` would make them anew.

    :raises LabError: Compose failed; its last lines are in the message
    """
    _run(["create", "--no-build", "--no-recreate", *services], "Creating containers", environment)


def _run(arguments: Sequence[str], what: str, environment: Mapping[str, str]) -> None:
    # The file by name: a COMPOSE_FILE in the user's shell belongs to another project.
    compose = ["docker", "compose", "--project-directory", str(ROOT), "--file", str(COMPOSE_FILE)]
    try:
        with step(what) as current:
            run(
                [*compose, *arguments],
                step=current,
                hint="./lab status shows the containers; ./lab down and ./lab up start afresh",
                # One at a time: Docker Engine 20.10 can hang for good when containers join or leave a network at once.
                environment={**environment, "COMPOSE_PARALLEL_LIMIT": "1"},
                cwd=ROOT,
            )
    except LabError as error:
        if any(words in error.message for words in _NO_ADDRESSES):
            raise LabError(error.message, hint=_MORE_ADDRESSES) from error
        raise
