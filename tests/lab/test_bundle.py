"""The images of a bundle go through a real engine; what it does not take leaves nothing behind."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from docker.errors import ImageNotFound

from lab.harness.stack import PROJECT, ROOT, Stack
from labctl.config.configuration import Configuration
from labctl.terminal.errors import LabError
from labctl.terminal.progress import step
from labctl.workshop.bundle import images, licences

_OWN = "ipclab/lab"
_TAGS = (f"{PROJECT}made", f"{PROJECT}loaded")


@pytest.fixture
def image(stack: Stack) -> Iterator[dict[str, str]]:
    """The lab's image under the tag of somebody who makes a bundle."""
    found = stack.client.images.get(Configuration.load().lab_image)
    found.tag(_OWN, _TAGS[0])
    yield {"name": f"{_OWN}:{_TAGS[0]}", "id": found.id, "own": _OWN}
    for tag in _TAGS:
        with suppress(ImageNotFound):
            stack.client.images.remove(f"{_OWN}:{tag}")


def saved(stack: Stack, image: dict[str, str], folder: Path) -> Path:
    """An archive of that one image; the tag is gone from the engine afterwards."""
    with step("Saving") as current:
        images.save(stack.client, [image["name"]], folder / "images.tar", current)
    stack.client.images.remove(image["name"])
    return folder / "images.tar"


def has(stack: Stack, tag: str) -> bool:
    """Whether the engine has the image under this tag."""
    try:
        return bool(stack.client.images.get(f"{_OWN}:{tag}"))
    except ImageNotFound:
        return False


def test_a_loaded_image_has_the_tag_of_this_clone_and_not_that_of_its_maker(
    stack: Stack, image: dict[str, str], tmp_path: Path
) -> None:
    with saved(stack, image, tmp_path).open("rb") as archive:
        assert images.load(stack.client, archive, [image], _TAGS[1]) == 1
    assert has(stack, _TAGS[1])
    assert not has(stack, _TAGS[0])
    assert (
        stack.client.images.get(f"{_OWN}:{_TAGS[1]}").attrs["RootFS"]
        == (stack.client.images.get(Configuration.load().lab_image).attrs["RootFS"])
    )


def test_an_archive_that_the_engine_refuses_leaves_no_image(
    stack: Stack, image: dict[str, str], tmp_path: Path
) -> None:
    whole = saved(stack, image, tmp_path).read_bytes()
    with pytest.raises(LabError, match="the engine does not load the images"):
        images.load(stack.client, io.BytesIO(whole[: len(whole) // 2]), [image], _TAGS[1])
    absent = {**image, "name": f"{_OWN}:{PROJECT}other"}
    with pytest.raises(LabError, match="the engine loaded no"):
        images.load(stack.client, io.BytesIO(whole), [image, absent], _TAGS[1])
    assert not has(stack, _TAGS[0])
    assert not has(stack, _TAGS[1])


def test_debian_packages_of_an_image_are_listed_with_what_is_known(stack: Stack) -> None:
    found = licences.of_image(stack.client, Configuration.load().lab_image)
    assert found["libc6"]["version"]
    assert all(package["licence"] for package in found.values())


def test_another_platform_than_the_engines_is_refused(stack: Stack) -> None:
    here = str(stack.client.version()["Arch"])
    other = "linux/arm64" if here == "amd64" else "linux/amd64"
    refused = stack.lab("bundle", "create", str(ROOT / "never.tar"), "--platform", other)
    assert refused.returncode == 2, refused.stderr
    assert f"the engine builds for linux/{here}, not for {other}" in refused.stderr
    assert not (ROOT / "never.tar").exists()
