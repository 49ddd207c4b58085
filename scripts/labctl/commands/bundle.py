"""`./lab bundle`: all that `./lab up` needs in one file, and its way into an engine and a clone without network."""

from __future__ import annotations

import datetime
import json
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker

from labctl.config.configuration import IMAGE_TAG, Configuration
from labctl.config.paths import ROOT
from labctl.engine import engine
from labctl.engine.base_images import BaseImages
from labctl.engine.compose import compose_version
from labctl.engine.images import ensure_engine_image, make_ready, own_images, source_hash
from labctl.terminal.errors import BadInput, LabError
from labctl.terminal.printing import show_lines
from labctl.terminal.progress import step
from labctl.workshop.bundle import archive, images, licences, wheels
from labctl.workshop.bundle.archive import BadBundle, Manifest, Source

WHEELS = ROOT / ".bundle"
_LOCK = ROOT / archive.LOCK


def create(
    configuration: Configuration, target: Path, pythons: Sequence[str], platform: str | None, *, second_engine: bool
) -> None:
    """Make the bundle, and say how large it is.

    :raises BadInput: the engine is for another platform
    :raises LabError: an image cannot be made, or a wheel cannot be fetched
    """
    begin = time.monotonic()
    _require_platform(engine.usable(), platform)
    client, base = make_ready(configuration.values, root=ROOT)
    architecture = str(client.version()["Arch"])
    if second_engine:
        base = ensure_engine_image(client, configuration.values, base, root=ROOT)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".bundle-") as made:
        folder = Path(made)
        with step(f"Fetching wheels for Python {', '.join(pythons)}") as current:
            wheels.fetch(_LOCK, folder / "wheels", pythons, architecture, current)
        found = images.listed(client, base, configuration.values)
        with step("Reading licences") as current:
            stated: dict[str, dict[str, Any]] = {"python": licences.of_wheels(folder / "wheels"), "debian": {}}
            for image in found:
                current.detail(image["name"])
                stated["debian"][image["name"]] = licences.of_image(client, image["name"])
            (folder / archive.LICENCES).write_text(json.dumps(stated, indent=1), encoding="utf-8")
        with step(f"Saving {len(found)} images") as current:
            images.save(client, [image["name"] for image in found], folder / archive.IMAGES, current)
        sources = [Source(archive.LOCK, _LOCK), Source(archive.LICENCES, folder / archive.LICENCES)]
        sources += [Source(f"{archive.WHEELS}{path.name}", path) for path in sorted((folder / "wheels").iterdir())]
        sources.append(Source(archive.IMAGES, folder / archive.IMAGES))
        commit, commit_at = _commit()
        manifest = Manifest(
            architecture=architecture,
            made_at=datetime.datetime.now(datetime.UTC).strftime("%Y-%m-%d %H:%M UTC"),
            commit=commit,
            commit_at=commit_at,
            sources=_sources(),
            versions={"engine": str(client.version()["Version"]), "compose": compose_version()},
            pythons=tuple(pythons),
            images=tuple(found),
        )
        with step(f"Writing {target}"):
            archive.write(target, manifest, sources)
    _say(target, manifest, f"made in {time.monotonic() - begin:.0f} s", len(sources) - 3)


def load(configuration: Configuration, path: Path) -> None:
    """Check all of the bundle, then put its wheels into the clone and its images into the engine.

    :raises BadInput: it is damaged, truncated, for another architecture, or not of this clone; nothing was changed
    :raises LabError: the engine does not answer, or does not load the images
    """
    begin = time.monotonic()
    client = engine.connect()
    with _refusing():
        manifest = archive.read_manifest(path)
        archive.require_machine(path, manifest, str(client.version()["Arch"]))
        commit_at = _commit()[1]
        archive.require_lock(path, manifest, _LOCK, commit_at)
        if manifest.sources != _sources():
            raise archive.other_version(path, manifest, commit_at)
        with step(f"Checking {path}") as current:
            archive.verify(path, current.detail)
    with _refusing():
        with step(f"Loading {len(manifest.images)} images"), archive.member(path, archive.IMAGES) as content:
            new = images.load(client, content, manifest.images, configuration.values[IMAGE_TAG])
        with step("Unpacking wheels"):
            count = archive.unpack_wheels(path, WHEELS)
    _say(path, manifest, f"loaded in {time.monotonic() - begin:.0f} s, {new} images are new", count)
    show_lines(["./lab up needs no network now."])


def _require_platform(client: docker.DockerClient | None, platform: str | None) -> None:
    if platform is None or client is None:
        return
    here = f"linux/{client.version()['Arch']}"
    if platform != here:
        raise BadInput(
            f"the engine builds for {here}, not for {platform}",
            hint=f"name an engine that does: DOCKER_CONTEXT=… ./lab bundle create FILE.tar --platform {platform}",
        )


def _say(path: Path, manifest: Manifest, how: str, wheel_count: int) -> None:
    megabytes = path.stat().st_size / 1e6
    show_lines(
        [
            f"{path}: {megabytes:,.0f} MB for linux/{manifest.architecture}, {how}",
            f"{len(manifest.images)} images, {wheel_count} Python packages for Python {', '.join(manifest.pythons)}; "
            f"checksums, versions and licences are in it",
        ]
    )


@contextmanager
def _refusing() -> Iterator[None]:
    try:
        yield
    except BadBundle as error:
        raise BadInput(error.message, hint=error.hint) from error
    except OSError as error:
        raise LabError(f"the bundle cannot be unpacked: {error.strerror}", hint="df -h, ls -ld") from error


def _sources() -> str:
    """A hash of what the images are made of, without their bases, and of the lock."""
    base = BaseImages("", "", "-")
    patterns = {pattern for image in own_images(base, "x") for pattern in image.inputs}
    return source_hash(ROOT, [*patterns, "services/engine/**/*", archive.LOCK, "compose.yaml"], "")


def _commit() -> tuple[str, int]:
    """The commit of this clone, and when it was made; ("", 0) where it is none of Git."""
    command = ["git", "-C", str(ROOT), "log", "-1", "--format=%H %ct"]
    try:
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=True)
        commit, at = done.stdout.split()
        return commit, int(at)
    except (OSError, subprocess.CalledProcessError, ValueError) as error:
        del error
        return "", 0
