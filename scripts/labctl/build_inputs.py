"""What an image is made of, as one hash: equal hashes need no build."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

_NOT_INPUTS = {"__pycache__", ".mypy_cache", ".ruff_cache", ".pytest_cache"}


def source_hash(root: Path, patterns: Iterable[str], base_image_id: str) -> str:
    """A hash over the names and contents of the files that match `patterns` under `root`, and the base image.

    Independent of where the repository is cloned, of modification times and of the order of `patterns`.
    """
    digest = hashlib.sha256(base_image_id.encode())
    for path in sorted({path for pattern in patterns for path in root.glob(pattern)}):
        name = path.relative_to(root)
        if path.is_file() and not _NOT_INPUTS.intersection(name.parts):
            content = path.read_bytes()
            # The length keeps a byte from moving from one file's end to the next one's name unseen.
            digest.update(f"\0{name.as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return digest.hexdigest()[:16]
