"""`./lab kube`: write the manifests, play them with podman, take everything away again."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import yaml

from labctl.clusters.kube import manifests, page, podman, prometheus, views
from labctl.clusters.kube.containers import Manifest
from labctl.clusters.kube.manifests import Images, Layout, Wanted
from labctl.clusters.kube.podman import Cluster
from labctl.config import compose_file
from labctl.config.configuration import IMAGE_TAG, Configuration
from labctl.terminal.errors import LabError
from labctl.terminal.printing import show_lines

_HEADER = "# Made from compose.yaml by ./lab kube render. Validated; see docs/KUBERNETES.md for what was run.\n"


def render(
    configuration: Configuration, mechanisms: Sequence[str], layout: Layout, registry: str, output: Path | None
) -> None:
    """Write the manifests to stdout, or a file for each pod and what belongs to it.

    :raises LabError: a file cannot be written
    """
    prefix = f"{registry.rstrip('/')}/" if registry else ""
    made = manifests.of_lab(_wanted(configuration, mechanisms, layout, prefix))
    if output is None:
        sys.stdout.write(_HEADER + yaml.safe_dump_all(made, sort_keys=False))
        return
    files: dict[str, list[Manifest]] = {}
    for position, manifest in enumerate(made):
        # A cluster applies the files of a folder by name: the namespace comes first.
        name = "00-namespace" if position == 0 else manifest["metadata"]["name"]
        files.setdefault(f"{name}.yaml", []).append(manifest)
    try:
        output.mkdir(parents=True, exist_ok=True)
        for name, group in files.items():
            (output / name).write_text(_HEADER + yaml.safe_dump_all(group, sort_keys=False), encoding="utf-8")
    except OSError as error:
        raise LabError(
            f"{error.filename} cannot be written: {error.strerror}", hint="--output names a folder"
        ) from error
    show_lines([f"{len(files)} files with {len(made)} objects in {output}"])


def bring_up(configuration: Configuration, mechanisms: Sequence[str], layout: Layout, *, with_prometheus: bool) -> None:
    """Play the pods with podman, on two nodes, and print what the pairs share.

    :raises BadInput: they run, or a program or a right is absent; nothing was changed
    :raises LabError: a step fails
    """
    cluster = Cluster(configuration.project)
    cluster.require_tools()
    if cluster.there:
        raise LabError(f"{configuration.project} has pods already", hint="./lab kube down removes them")
    wanted = _wanted(configuration, mechanisms, layout, podman.PREFIX)
    watching = {prometheus.NAME, page.NAME}
    made = manifests.of_lab(wanted)
    if not with_prometheus:
        made = [manifest for manifest in made if podman.name_of(manifest) not in watching]
    others = sorted(watching) if with_prometheus else []
    services = [compose_file.common_to_all(), *map(compose_file.service, others)]
    images = [wanted.images.of(service).removeprefix(podman.PREFIX) for service in services]
    cluster.make(images)
    cluster.play(made)
    views.show_status(cluster, as_json=False)


def take_down(project: str) -> None:
    """Remove everything that `./lab kube up` made.

    :raises LabError: a part cannot be removed
    """
    cluster = Cluster(project)
    if not cluster.there:
        show_lines([f"nothing to remove: {project} has no pods"])
        return
    count = cluster.remove()
    show_lines([f"removed {count} pods, two nodes and their storage"])


def _wanted(configuration: Configuration, mechanisms: Sequence[str], layout: Layout, prefix: str) -> Wanted:
    images = Images(prefix, configuration.values[IMAGE_TAG])
    return Wanted(configuration.project, mechanisms, layout, images, configuration.values)
