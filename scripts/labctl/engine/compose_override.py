"""`docker compose` without `./lab`: what the last `./lab up` used, in a file that Compose reads by itself.

compose.yaml names the images that a registry has. Where none answers, `./lab up` builds fallback images, leaves Grafana
out, and says so to its own Compose through the environment. `docker compose up` in the same folder knows nothing of
that. So `./lab up` writes compose.override.yaml, which Compose merges into compose.yaml unasked
(docs.docker.com/compose/how-tos/multiple-compose-files/merge); Git ignores it. `./lab` itself does not use it but to
know what could not be pulled. See docs/decisions/0037-compose-without-the-command-line.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from labctl.config import compose_file
from labctl.config.json_document import INVALID
from labctl.config.paths import ROOT
from labctl.engine.base_images import BaseImages
from labctl.terminal.progress import say

FILE = ROOT / "compose.override.yaml"
_FIRST_LINE = "# Written by ./lab up"
_EXTENSION = "x-ipclab"
_GRAFANA = "grafana"
NOTHING: dict[str, Any] = {_EXTENSION: {"not-pulled": {}}, "services": {}}


def write(base: BaseImages, settings: Mapping[str, str], path: Path = FILE) -> None:
    """Write the file anew, or remove it where it would say nothing. One that a user wrote is left alone, and named."""
    import yaml

    if path.exists() and not _is_ours(path):
        say(f"{path.name} is not the lab's and stays: `docker compose` without ./lab goes by it")
        return
    model = override(base, settings)
    head = [
        f"{_FIRST_LINE}, for `docker compose` without ./lab. Each ./lab up writes this file anew.",
        *(f"# {image} was not pulled: {reason}" for image, reason in base.not_pulled.items()),
    ]
    if base.grafana is None:
        head.append(f"# Grafana is left out: {_why_no_grafana(settings)}.")
    text = "\n".join([*head, yaml.safe_dump(model, sort_keys=False, width=120)])
    try:
        if model == NOTHING:
            path.unlink(missing_ok=True)
            return
        unfinished = path.with_name(f".{path.name}.new")
        unfinished.write_text(text, encoding="utf-8")
        unfinished.replace(path)
    except OSError as error:
        say(f"{path.name} cannot be written ({error.strerror}): `docker compose` without ./lab may ask a registry")
        return
    if base.grafana is None:
        say(f"Grafana is left out: {_why_no_grafana(settings)}; {path.name} tells `docker compose` the same")


def override(base: BaseImages, settings: Mapping[str, str]) -> dict[str, Any]:
    """What differs from compose.yaml under `settings`: the images that builds begin with, and an absent Grafana."""
    used = {"PYTHON_IMAGE": base.python, "PROMETHEUS_IMAGE": base.prometheus, "ENGINE_IMAGE": base.engine}
    other = {name: image for name, image in used.items() if image and image != settings[name]}
    services: dict[str, Any] = {
        name: {"build": {"args": arguments}}
        for name, service in compose_file.all_services().items()
        if (arguments := _arguments(service, other))
    }
    if base.grafana is None:
        services[_GRAFANA] = {"profiles": [_GRAFANA]}  # `docker compose --profile grafana up` asks for it all the same
    return {_EXTENSION: {"not-pulled": dict(base.not_pulled)}, "services": services}


def not_pulled(path: Path = FILE) -> dict[str, str]:
    """The images that the last `./lab up` in this clone could not pull, each with the reason; empty without one."""
    import yaml

    try:
        found = yaml.safe_load(path.read_text(encoding="utf-8")) if _is_ours(path) else {}
        return {str(image): str(reason) for image, reason in found[_EXTENSION]["not-pulled"].items()}
    except (OSError, yaml.YAMLError, *INVALID):
        return {}


def _why_no_grafana(settings: Mapping[str, str]) -> str:
    image = settings["GRAFANA_IMAGE"]
    return f"no image {image}" if image else "GRAFANA_IMAGE is empty"


def _arguments(service: Mapping[str, Any], images: Mapping[str, str]) -> dict[str, str]:
    """The build arguments of a service that are `${NAME}` of one of these images."""
    arguments: Mapping[str, str] = (service.get("build") or {}).get("args") or {}
    return {name: image for name, value in arguments.items() if (image := images.get(value.strip("${}")))}


def _is_ours(path: Path) -> bool:
    return path.read_text(encoding="utf-8", errors="replace").startswith(_FIRST_LINE)
