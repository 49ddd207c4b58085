"""`python -m dashboards` writes the JSON; `--check` says which files are outdated, and exits 1."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from dashboards import faults, hosts, kernel, mechanism, speed, start
from dashboards.document import TITLES, to_json

JSON = Path(__file__).resolve().parent / "json"
_MODULES = (start, hosts, speed, kernel, mechanism, faults)
DASHBOARDS = {f"{name}.json": module.dashboard for name, module in zip(TITLES, _MODULES, strict=True)}


def outdated(directory: Path) -> list[Path]:
    """The files that are missing, differ from what the code makes, or that no code makes."""
    expected = {directory / name: to_json(make()) for name, make in DASHBOARDS.items()}
    changed = [
        path for path, content in expected.items() if not path.is_file() or path.read_text(encoding="utf-8") != content
    ]
    return sorted([*changed, *(path for path in directory.glob("*.json") if path not in expected)])


def changed_panels(file: Path) -> list[str]:
    """The titles of the panels that are not as the code makes them; empty where the rest differs, or all is missing."""
    if file.name not in DASHBOARDS or not file.is_file():
        return []
    try:
        found = {panel["title"]: panel for panel in json.loads(file.read_text(encoding="utf-8"))["panels"]}
    except (ValueError, KeyError, TypeError):
        return []
    expected = {panel["title"]: panel for panel in json.loads(to_json(DASHBOARDS[file.name]()))["panels"]}
    return sorted(title for title in {*found, *expected} if found.get(title) != expected.get(title))


def complaints(directory: Path) -> list[str]:
    """A line for each outdated file: the file, the panels if it is those, and what to do."""
    lines = []
    for file in outdated(directory):
        panels = ", ".join(f"panel {title!r}" for title in changed_panels(file))
        name = file.relative_to(directory.parent.parent)
        lines.append(f"{name} is not what dashboards/ makes{f': {panels}' if panels else ''}; run: ./lab dashboards")
    return lines


def write(directory: Path) -> None:
    """Make the directory hold what the code makes, and nothing else."""
    directory.mkdir(exist_ok=True)
    for path in outdated(directory):
        if path.name in DASHBOARDS:
            path.write_text(to_json(DASHBOARDS[path.name]()), encoding="utf-8")
        else:
            path.unlink()


def main(directory: Path = JSON) -> int:
    """Return the exit code."""
    parser = argparse.ArgumentParser(prog="python -m dashboards", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; name the outdated files")
    if not parser.parse_args().check:
        write(directory)
        return 0
    lines = complaints(directory)
    for line in lines:
        print(line, file=sys.stderr)
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
