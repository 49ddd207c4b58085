"""Which clone of the lab a project's containers were started from: Compose writes the folder on each of them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import docker
from docker.models.containers import Container as DockerContainer

from labctl.config.paths import ROOT
from labctl.lab.containers import listed, stop_and_remove
from labctl.terminal.errors import BadInput

_FOLDER_LABEL = "com.docker.compose.project.working_dir"


def others(found: Iterable[DockerContainer]) -> list[str]:
    """The folders, other than this clone, that these containers were started from; sorted."""
    folders = {str(container.attrs["Labels"].get(_FOLDER_LABEL, "")) for container in found} - {""}
    return sorted(folder for folder in folders if not _is_here(folder))


def require_ours(found: Iterable[DockerContainer], project: str, command: str) -> None:
    """Refuse to change a lab that another clone started.

    :param found: the project's containers, with the labels that the engine's list gives
    :param command: what was asked, without the program's name

    :raises BadInput: some container was started from another folder
    """
    if elsewhere := others(found):
        raise BadInput(
            f"{command} in {ROOT}: the lab {project} was started from {', '.join(elsewhere)}",
            hint=f"COMPOSE_PROJECT_NAME=… names a lab of this folder's own; --take-over takes {project} over",
        )


def remove_others(client: docker.DockerClient, project: str) -> None:
    """Remove the containers that another clone started: Compose would keep them, and with them that clone's folder."""
    for container in listed(client, project):  # one at a time: docs/decisions/0011-serial-start-and-stop.md
        if others([container]):
            stop_and_remove(container)


def exists(folder: str) -> bool:
    """Whether that clone is still there, as far as this machine sees."""
    return (Path(folder) / "compose.yaml").exists()


def _is_here(folder: str) -> bool:
    """Whether the two are one folder, by whatever symbolic links."""
    return Path(folder) == ROOT or Path(folder).resolve() == ROOT.resolve()
