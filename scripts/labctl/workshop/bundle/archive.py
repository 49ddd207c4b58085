"""The file of a bundle: a tar whose first member says what the others are, with their sizes and checksums.

`manifest.json`, then `requirements.lock`, `licences.json`, `images.tar` (docker image save) and `wheels/`. Nothing but
Python's standard library is needed: `./lab` runs this file before there is a `.venv`, to put the wheels in place.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sys
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

SCHEMA = "ipc-lab-bundle/1"
MANIFEST, LOCK, LICENCES, IMAGES, WHEELS = (
    "manifest.json",
    "requirements.lock",
    "licences.json",
    "images.tar",
    "wheels/",
)
_CHUNK = 1 << 20
_MOST_MANIFEST_BYTES = 8 << 20
_ARCHITECTURES = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}


class BadBundle(Exception):
    """The file is no bundle that this machine and this clone can use; `hint` says what to do."""

    def __init__(self, message: str, *, hint: str) -> None:
        self.message, self.hint = message, hint
        super().__init__(f"{message} (hint: {hint})")


@dataclass(frozen=True)
class Manifest:
    """What a bundle says of itself."""

    architecture: str  # Docker's word: amd64, arm64
    made_at: str  # UTC, ISO 8601
    commit: str  # of the clone that made it; "" where that was no clone of Git
    commit_at: int  # seconds since 1970; 0 where unknown
    sources: str  # the hash of what images and wheels are made of
    versions: Mapping[str, str]
    pythons: tuple[str, ...]  # the wheels are for: "3.11"
    images: tuple[Mapping[str, str], ...]  # name, id, and the tag-less own name where it is one of the lab's own
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # member: sha256, bytes

    def text(self) -> bytes:
        """As it is written."""
        return json.dumps({"schema": SCHEMA, **asdict(self)}, indent=1).encode()


@dataclass(frozen=True)
class Source:
    """A file to be packed, and what it is called in the bundle."""

    name: str
    path: Path


def write(target: Path, manifest: Manifest, sources: list[Source]) -> Manifest:
    """Pack the sources; the bundle appears under its name when it is complete.

    :raises OSError: there is no room, or the folder cannot be written
    """
    files = {source.name: {"sha256": _checksum(source.path), "bytes": source.path.stat().st_size} for source in sources}
    whole = Manifest(**{**manifest.__dict__, "files": files})
    unfinished = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with tarfile.open(unfinished, "w", format=tarfile.PAX_FORMAT) as tar:
            text = whole.text()
            head = tarfile.TarInfo(MANIFEST)
            head.size, head.mode = len(text), 0o644
            tar.addfile(head, io.BytesIO(text))
            for source in sources:
                member = tarfile.TarInfo(source.name)
                member.size, member.mode = source.path.stat().st_size, 0o644
                with source.path.open("rb") as content:
                    tar.addfile(member, content)
        unfinished.replace(target)
    finally:
        unfinished.unlink(missing_ok=True)
    return whole


def read_manifest(path: Path) -> Manifest:
    """What the bundle says of itself; nothing else is looked at.

    :raises BadBundle: it is none
    """
    with _members(path) as members:
        name, size, content = next(members, ("", 0, io.BytesIO()))
        if name != MANIFEST or size > _MOST_MANIFEST_BYTES:
            raise _no_bundle(path)
        return _parse(path, content.read())


def verify(path: Path, detail: Callable[[str], None] = lambda _: None) -> Manifest:
    """Read all of it, and compare each member with its size and checksum; changes nothing.

    :raises BadBundle: it is truncated, damaged or no bundle
    """
    manifest = read_manifest(path)
    missing = dict(manifest.files)
    with _members(path) as members:
        for name, size, content in members:
            if name == MANIFEST:
                continue
            wanted = missing.pop(name, None)
            if wanted is None:
                raise _damaged(path, f"{_shown(name)} is not in its list")
            detail(name)
            digest = _digest(content)
            if size != wanted["bytes"] or digest != wanted["sha256"]:
                raise _damaged(path, f"the checksum of {name} is wrong")
    if missing:
        raise _truncated(path, f"{sorted(missing)[0]} is missing")
    return manifest


def require_machine(path: Path, manifest: Manifest, architecture: str) -> None:
    """Refuse the bundle of another architecture.

    :param architecture: Docker's word for it, or uname's
    :raises BadBundle: it is for another
    """
    here = _ARCHITECTURES.get(architecture.lower(), architecture)
    if manifest.architecture != here:
        raise BadBundle(
            f"{path} is for {manifest.architecture}, and this is {here}",
            hint=f"make one where the engine is {here}: ./lab bundle create FILE.tar",
        )


def require_lock(path: Path, manifest: Manifest, lock: Path, commit_at: int = 0) -> None:
    """Refuse the bundle of a clone with other dependencies.

    :param commit_at: when the commit of this clone was made, where that is known
    :raises BadBundle: the lock is another
    """
    if manifest.files.get(LOCK, {}).get("sha256") != _checksum(lock):
        raise other_version(path, manifest, commit_at)


def other_version(path: Path, manifest: Manifest, commit_at: int) -> BadBundle:
    """The error for a bundle whose sources are not those of this clone."""
    order = "older" if manifest.commit_at < commit_at else "newer" if manifest.commit_at > commit_at else "other"
    which = {"older": "is older than this clone", "newer": "is newer than this clone"}.get(
        order if commit_at and manifest.commit_at else "", "belongs to another version than this clone"
    )
    commit = f"git checkout {manifest.commit[:12]}, or " if manifest.commit else ""
    return BadBundle(
        f"{path} {which}: it was made on {manifest.made_at}" + (f" of {manifest.commit[:12]}" if commit else ""),
        hint=f"{commit}make one of this clone: ./lab bundle create FILE.tar",
    )


def unpack_wheels(path: Path, folder: Path) -> int:
    """Put the wheels of a verified bundle and its lock into `folder`, which is replaced as a whole; how many they are.

    :raises OSError: there is no room, or the folder cannot be written
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    made = Path(tempfile.mkdtemp(prefix=f".{folder.name}.", dir=folder.parent))
    count = 0
    try:
        with _members(path) as members:
            for name, _, content in members:
                inside = name.removeprefix(WHEELS)
                if name == LOCK or (name != inside and "/" not in inside and inside not in ("", ".", "..")):
                    with (made / inside).open("wb") as file:
                        shutil.copyfileobj(content, file, _CHUNK)
                    count += name != LOCK
        made.chmod(0o755)
        shutil.rmtree(folder, ignore_errors=True)
        made.rename(folder)
    finally:
        shutil.rmtree(made, ignore_errors=True)
    return count


@contextmanager
def member(path: Path, wanted: str) -> Iterator[IO[bytes]]:
    """One member of a verified bundle, to be read once.

    :raises BadBundle: it is not there
    """
    with _members(path) as members:
        for name, _, content in members:
            if name == wanted:
                yield content
                return
    raise _damaged(path, f"{wanted} is missing")


@contextmanager
def _members(path: Path) -> Iterator[Iterator[tuple[str, int, IO[bytes]]]]:
    """Name, size and content of each member in turn."""
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            yield _each(path, tar)
    except tarfile.ReadError as error:
        raise (_truncated if "end of data" in str(error) else _no_bundle)(path, str(error)) from error
    except tarfile.TarError as error:
        raise _damaged(path, str(error)) from error
    except OSError as error:
        raise BadBundle(
            f"{path} cannot be read: {error.strerror or error}", hint="./lab bundle load FILE.tar"
        ) from error


def _each(path: Path, tar: tarfile.TarFile) -> Iterator[tuple[str, int, IO[bytes]]]:
    for info in tar:
        content = tar.extractfile(info) if info.isreg() else None
        if content is None:
            raise _damaged(path, f"{_shown(info.name)} is no file")
        yield info.name, info.size, content


def _parse(path: Path, text: bytes) -> Manifest:
    try:
        document = json.loads(text)
        schema = document.pop("schema")
    except (ValueError, KeyError, AttributeError, TypeError, RecursionError) as error:
        raise _damaged(path, "its manifest cannot be read") from error
    if schema != SCHEMA:
        raise BadBundle(
            f"{path} has the form {_shown(schema)}, and this clone reads {SCHEMA}", hint="git pull, or make it anew"
        )
    try:
        document["pythons"], document["images"] = tuple(document["pythons"]), tuple(document["images"])
        manifest = Manifest(**document)
        _require_types(manifest)
    except (KeyError, TypeError, AttributeError) as error:
        raise _damaged(path, "its manifest lacks something") from error
    return manifest


def _require_types(manifest: Manifest) -> None:
    """Refuse values that no manifest has; without the packages of the lab, so by hand.

    :raises KeyError, TypeError, AttributeError: there is one
    """
    texts: list[object] = [
        manifest.architecture,
        manifest.made_at,
        manifest.commit,
        manifest.sources,
        *manifest.pythons,
    ]
    texts += [*manifest.versions, *manifest.versions.values(), *manifest.files]
    texts += [text for image in manifest.images for text in (image["name"], image["id"], image["own"])]
    texts += [file["sha256"] for file in manifest.files.values()]
    numbers: list[object] = [manifest.commit_at, *(file["bytes"] for file in manifest.files.values())]
    if not all(isinstance(text, str) and text.isprintable() for text in texts):
        raise TypeError("no text, or one that cannot be printed")
    if not all(type(number) is int for number in numbers):
        raise TypeError("no number")


def _shown(value: object) -> str:
    """A value of a document, in one line."""
    return value if isinstance(value, str) and value.isprintable() else ascii(value)[:40]


def _digest(content: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := content.read(_CHUNK):
        digest.update(chunk)
    return digest.hexdigest()


def _checksum(path: Path) -> str:
    with path.open("rb") as file:
        return _digest(file)


_AGAIN = "copy it again, and compare its size; or make it anew: ./lab bundle create FILE.tar"


def _no_bundle(path: Path, why: str = "") -> BadBundle:
    del why
    return BadBundle(f"{path} is no bundle of the lab", hint="./lab bundle create FILE.tar makes one")


def _truncated(path: Path, why: str) -> BadBundle:
    return BadBundle(f"{path} is truncated: {why}", hint=_AGAIN)


def _damaged(path: Path, why: str) -> BadBundle:
    return BadBundle(f"{path} is damaged: {why}", hint=_AGAIN)


def main(arguments: list[str]) -> int:
    """`archive.py FILE ROOT`: verify the bundle, and put its wheels into ROOT/.bundle; one line where that fails."""
    path, root = Path(arguments[0]), Path(arguments[1])
    try:
        manifest = read_manifest(path)
        require_machine(path, manifest, os.uname().machine)
        require_lock(path, manifest, root / LOCK)
        verify(path)
        unpack_wheels(path, root / ".bundle")
    except BadBundle as error:
        sys.stderr.write(f"error: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"error: the wheels of {path} cannot be unpacked: {error.strerror or error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
