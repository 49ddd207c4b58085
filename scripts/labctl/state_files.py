"""The files a container keeps on its volumes, read through the engine, also when the container does not run."""

from __future__ import annotations

import io
import tarfile
import time

from docker.errors import APIError, NotFound
from docker.models.containers import Container as DockerContainer

_OWNER = 10001  # the user of services/Dockerfile


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
    """Make or replace one file, for the container's user."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.uid, member.gid = len(content), 0o644, _OWNER, _OWNER
        member.mtime = time.time()  # whoever watches the file sees that it is another
        tar.addfile(member, io.BytesIO(content))
    container.put_archive(directory, archive.getvalue())
