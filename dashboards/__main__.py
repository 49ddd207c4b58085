"""`python -m dashboards` writes the JSON; `--check` says which files are outdated, and exits 1."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from dashboards import overview
from dashboards.panels import to_json

JSON = Path(__file__).resolve().parent / "json"
DASHBOARDS = {"overview.json": overview.dashboard}


def outdated(directory: Path) -> list[Path]:
    """The files that are missing, differ from what the code makes, or that no code makes."""
    expected = {directory / name: to_json(make()) for name, make in DASHBOARDS.items()}
    changed = [path for path, content in expected.items() if not path.is_file() or path.read_text() != content]
    return sorted([*changed, *(path for path in directory.glob("*.json") if path not in expected)])


def write(directory: Path) -> None:
    """Make the directory hold what the code makes, and nothing else."""
    directory.mkdir(exist_ok=True)
    for path in outdated(directory):
        if path.name in DASHBOARDS:
            path.write_text(to_json(DASHBOARDS[path.name]()))
        else:
            path.unlink()


def main(directory: Path = JSON) -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dashboards", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; name the outdated files")
    if not parser.parse_args().check:
        write(directory)
        return 0
    files = outdated(directory)
    for path in files:
        print(f"outdated: {path.relative_to(directory.parent.parent)}; run: python -m dashboards", file=sys.stderr)
    return 1 if files else 0


if __name__ == "__main__":
    sys.exit(main())
