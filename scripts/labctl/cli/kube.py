"""`./lab kube`: its commands, their options and their help."""

from __future__ import annotations

import re
from pathlib import Path

import click

from labctl.cli.types import mechanisms_argument
from labctl.config import compose_file
from labctl.config.configuration import Configuration, project_name
from labctl.config.values import refuse, shown
from labctl.lab.project_lock import changing


class Registry(click.ParamType[str]):
    """HOST[:PORT][/PATH] of a registry."""

    name = "registry"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """The text itself.

        :raises BadInput: it is no beginning of an image's name
        """
        del param, ctx
        if not re.fullmatch(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:\d{1,5})?(/[a-z0-9][a-z0-9._-]*)*", value):
            raise refuse(
                f"--registry {shown(value)}",
                expected="HOST, HOST:PORT or HOST/PATH in lower case",
                hint="images are then HOST/ipclab/lab:TAG",
            )
        return value


def check_layout(apart: bool, claim: bool) -> None:
    """A claim is shared by two pods.

    :raises BadInput: it was asked for in one pod
    """
    if claim and not apart:
        raise refuse(
            "--claim without --apart", expected="--apart --claim", hint="the containers of a pod share volumes"
        )


apart_option = click.option("--apart", is_flag=True, help="A pod for each side of a pair; else one pod for both.")
claim_option = click.option(
    "--claim", is_flag=True, help="With --apart: both pods mount one claim for their channel, on one node."
)


@click.group(short_help="Run the pairs as pods, and write them for Kubernetes.")
def kube() -> None:
    """The pairs as pods of Kubernetes: the containers of a pod share an IPC namespace, two pods do not.

    `render` writes manifests. `up` plays the same manifests with podman on this machine, as root, on two nodes: two
    network namespaces with a link between them. docs/KUBERNETES.md says what was run and what was only validated.

    \b
      ./lab kube render --output manifests
      ./lab kube up sysv_shm fifo tcp
      ./lab kube matrix
      ./lab kube down
    """


@kube.command("render", short_help="Write the manifests.")
@mechanisms_argument
@apart_option
@claim_option
@click.option("--registry", type=Registry(), metavar="HOST[/PATH]", help="Where the cluster pulls the images from.")
@click.option(
    "--output", type=click.Path(path_type=Path, file_okay=False), metavar="DIR", help="A file for each pod, not stdout."
)
def kube_render(
    mechanisms: tuple[str, ...], apart: bool, claim: bool, registry: str | None, output: Path | None
) -> None:
    """Write the manifests of the pairs, of responder and probes, of Prometheus and the page, made from compose.yaml.

    They pass the restricted Pod Security Standard. Needs no Docker and no cluster.

    \b
      ./lab kube render sysv_shm fifo
      ./lab kube render --apart --output manifests
      ./lab kube render --registry registry.example/lab | kubectl apply --filename -
    """
    check_layout(apart, claim)
    configuration = Configuration.load()
    wanted = sorted(set(mechanisms)) or compose_file.declared()
    configuration.check_size(wanted, "kube render")

    from labctl.clusters.kube import kube as work
    from labctl.clusters.kube.manifests import Layout

    layout = Layout.CLAIM if claim else Layout.APART if apart else Layout.TOGETHER
    work.render(configuration, wanted, layout, registry or "", output)


@kube.command("up", short_help="Play the pods with podman, and show the pairs.")
@mechanisms_argument
@apart_option
@claim_option
@click.option("--prometheus", is_flag=True, help="Also Prometheus and the page.")
def kube_up(mechanisms: tuple[str, ...], apart: bool, claim: bool, prometheus: bool) -> None:
    """Play the manifests with podman, on two nodes of this machine. The lab beside them goes on.

    Needs root and the images of `./lab up`. Podman's storage is a folder of its own; `./lab kube down` removes it.

    \b
      ./lab kube up
      ./lab kube up --apart sysv_shm tcp
      ./lab kube up --apart --claim fifo
    """
    check_layout(apart, claim)
    configuration = Configuration.load()
    wanted = sorted(set(mechanisms)) or compose_file.declared()
    configuration.check_size(wanted, "kube up")

    from labctl.clusters.kube import kube as work
    from labctl.clusters.kube.manifests import Layout

    layout = Layout.CLAIM if claim else Layout.APART if apart else Layout.TOGETHER
    with changing(configuration.project, "./lab kube up"):
        work.bring_up(configuration, wanted, layout, with_prometheus=prometheus)


@kube.command("status", short_help="Show the pairs: what both sides share, and what moved.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: namespaces, objects, errnos, messages.")
def kube_status(as_json: bool) -> None:
    """Show each pair in its pods: IPC namespace, /dev/shm, the objects that both sides see, messages.

    \b
      ./lab kube status
      ./lab kube status --json | jq '.pairs[] | {mechanism, same_ipc_namespace, objects_of_both}'
    """
    project = project_name()

    from labctl.clusters.kube.podman import Cluster
    from labctl.clusters.kube.views import show_status

    show_status(Cluster(project), as_json)


@kube.command("matrix", short_help="Show which placement of a pod reaches which mechanism.")
@click.option("--expected", is_flag=True, help="What the traits predict; needs no pods.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON: seconds, errnos, reasons and their sources.")
def kube_matrix(expected: bool, as_json: bool) -> None:
    """Show mechanism by placement, as the probes measured it: in the responder's pod, on its node, on another node.

    Exit code 1 if no pods run, or if a cell differs from what the mechanism's traits predict.

    \b
      ./lab kube matrix --expected
      ./lab kube matrix
      ./lab kube matrix --json | jq '.cells[] | select(.success | not) | {mechanism, placement, error}'
    """
    project = project_name()

    from labctl.clusters.kube.podman import Cluster
    from labctl.clusters.kube.views import show_expected, show_matrix

    if expected:
        show_expected(as_json)
    else:
        show_matrix(Cluster(project), as_json)


@kube.command("down", short_help="Remove the pods and their nodes.")
def kube_down() -> None:
    """Remove the pods, both nodes and podman's storage for them. The lab beside them goes on.

    \b
      ./lab kube down
    """
    project = project_name()

    from labctl.clusters.kube.kube import take_down

    with changing(project, "./lab kube down"):
        take_down(project)
