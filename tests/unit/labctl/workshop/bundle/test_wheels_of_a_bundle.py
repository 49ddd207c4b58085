"""What of the lock goes into a bundle, and what its packages say of their licences."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from labctl.workshop.bundle import licences, wheels

_LOCK = Path(__file__).parents[5] / "requirements.lock"


def test_every_requirement_of_the_lock_is_read_with_its_hashes() -> None:
    text = _LOCK.read_text(encoding="utf-8")
    found = wheels.parse(text)
    begins = [line for line in text.splitlines() if "==" in line and not line.startswith((" ", "#"))]
    assert len(found) == len(begins) > 50
    assert sum(len(hashes) for *_, hashes in found) == text.count("--hash=")
    assert all(hashes for *_, hashes in found)


@pytest.mark.parametrize("python", wheels.PYTHONS)
def test_each_python_gets_what_its_markers_say(python: str) -> None:
    lines, sources = wheels.requirements(_LOCK.read_text(encoding="utf-8"), wheels.environment_of(python, "amd64"))
    names = [line.partition("==")[0] for line in lines]
    assert len(names) == len(set(names)), "one version of each"
    assert {"uv", "click", "pytest", "matplotlib", "hatchling"} <= set(names)
    assert not {"colorama", "pywin32", "sysv-ipc"} & set(names)
    assert [line.partition("==")[0] for line in sources] == ["sysv-ipc"]
    assert all("--hash=sha256:" in line and ";" not in line for line in [*lines, *sources])


def test_an_older_python_gets_an_older_numpy() -> None:
    text = _LOCK.read_text(encoding="utf-8")
    of = {
        python: next(
            line.split(" ")[0]
            for line in wheels.requirements(text, wheels.environment_of(python, "arm64"))[0]
            if line.startswith("numpy==")
        )
        for python in ("3.11", "3.13")
    }
    assert of["3.11"] != of["3.13"]


@pytest.mark.parametrize(
    ("metadata", "licence"),
    [
        ("License-Expression: MIT\nLicense: something else\n", "MIT"),
        ("License: BSD-3-Clause\n", "BSD-3-Clause"),
        ("Classifier: License :: OSI Approved :: Apache Software License\n", "Apache Software License"),
        ("", "not stated by the package"),
    ],
)
def test_a_licence_is_what_the_wheel_says(tmp_path: Path, metadata: str, licence: str) -> None:
    with zipfile.ZipFile(tmp_path / "a-1-py3-none-any.whl", "w") as wheel:
        wheel.writestr("a-1.dist-info/METADATA", f"Metadata-Version: 2.4\nName: a\nVersion: 1\n{metadata}\n")
    assert licences.of_wheels(tmp_path) == {"a": {"version": "1", "licence": licence}}
