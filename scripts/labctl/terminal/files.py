"""Files that belong together: all of them are written, or none."""

from __future__ import annotations

import errno
import tempfile
from collections.abc import Mapping
from pathlib import Path

from labctl.terminal.errors import LabError


def write_together(files: Mapping[str, bytes], folder: Path, what: str) -> None:
    """Write all under other names first, and rename them when the last one is complete.

    :param what: their noun, for the error
    :raises LabError: one cannot be written; what was there before is as it was
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".new-", dir=folder) as made:
            for name, content in files.items():
                (Path(made) / name).write_bytes(content)
            for name in files:
                (Path(made) / name).replace(folder / name)
    except OSError as error:
        name = errno.errorcode.get(error.errno or 0, type(error).__name__)
        raise LabError(
            f"cannot write {what} to {folder}: {error.strerror} ({name})", hint="--output names another folder"
        ) from error
