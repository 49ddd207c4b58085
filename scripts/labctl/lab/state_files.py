"""The files a container keeps on its volumes, read through the engine, also when the container does not run."""

from __future__ import annotations

import io
import secrets
import tarfile
import time

from docker.errors import APIError, NotFound
from docker.models.containers import Container as DockerContainer

from labctl.lab.containers import run_in
from labctl.terminal.errors import LabError


def read(container: DockerContainer, directory: str) -> dict[str, bytes]:
    """The files below `directory`, by their path within it; none if the container or the directory is gone."""
    try:
        chunks, _ = container.get_archive(directory)
        content = b"".join(chunks)
    except (NotFound, APIError):
        return {}
    found = {}
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        for member in archive:
            if member.isfile() and (file := archive.extractfile(member)):
                found[member.name.partition("/")[2]] = file.read()
    return found


def write(container: DockerContainer, directory: str, name: str, content: bytes) -> None:
    """Make or replace one file, for the container's user.

    Whoever reads it meanwhile, in a container that runs, sees the old content or the new one, never a part (rename(2)):
    the engine itself removes a file before it writes it anew.

    :raises LabError: the container runs, and does not let us rename; or its user is a name
    """
    container.reload()
    if container.status != "running":
        _put(container, directory, name, content)
        return
    spare = f".{name}.{secrets.token_hex(4)}"  # of this command: another one may write the same file at this moment
    _put(container, directory, spare, content)
    ran = run_in(container, ["mv", "-f", f"{directory}/{spare}", f"{directory}/{name}"])
    if ran.code:
        raise LabError(
            f"cannot replace {directory}/{name} in {container.name}: {ran.said}", hint=f"docker logs {container.name}"
        )


def _put(container: DockerContainer, directory: str, name: str, content: bytes) -> None:
    archive = io.BytesIO()
    user, group = owner(str(container.attrs["Config"].get("User") or ""))
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.uid, member.gid = len(content), 0o644, user, group
        member.mtime = time.time()  # whoever watches the file sees that it is another
        tar.addfile(member, io.BytesIO(content))
    container.put_archive(directory, archive.getvalue())


def owner(user: str) -> tuple[int, int]:
    """User and group of a container's `Config.User`, which is LAB_UID's for a lab's own: "10002:10001", or "" for root.

    :raises LabError: it is a name, which only the container's /etc/passwd could tell
    """
    uid, _, gid = user.partition(":")
    if not (uid or "0").isdecimal() or not (gid or "0").isdecimal():
        raise LabError(f"the container has the user {user!r}: expected a number", hint="user: in compose.yaml")
    return int(uid or 0), int(gid or 0)
