"""The manifests: valid in current Kubernetes releases, restricted, and of what compose.yaml and the traits say."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

import kubernetes_validate
import pytest
import yaml

from ipclab import mechanisms
from ipclab.contract.channel import Sharing
from ipclab.matrix.placement import PodPlacement
from labctl.clusters.kube import manifests
from labctl.clusters.kube.manifests import Images, Layout, Wanted
from labctl.config import compose_file
from labctl.config.configuration import Configuration
from support.pod_security import violations

RELEASES = ("1.35", "1.36", "1.37")
_VALUES: Mapping[str, str] = Configuration.load(environment={}).values


def made(layout: Layout, *names: str, project: str = "ipclab") -> list[dict[str, Any]]:
    wanted = Wanted(project, names or compose_file.declared(), layout, Images("", "local"), _VALUES)
    return manifests.of_lab(wanted)


def pods(layout: Layout, *names: str) -> dict[str, dict[str, Any]]:
    return {m["metadata"]["name"]: m for m in made(layout, *names) if m["kind"] == "Pod"}


def mounts(pod: dict[str, Any], position: int) -> dict[str, str]:
    """Path to the pod's volume."""
    return {m["mountPath"]: m["name"] for m in pod["spec"]["containers"][position]["volumeMounts"]}


@pytest.mark.parametrize(
    ("layout", "release"),
    # The other layouts have the same kinds of objects.
    [*((Layout.TOGETHER, release) for release in RELEASES), *((layout, RELEASES[-1]) for layout in list(Layout)[1:])],
)
def test_every_object_is_valid_in_a_release_of_kubernetes(layout: Layout, release: str) -> None:
    for manifest in made(layout):
        kubernetes_validate.validate(manifest, release, strict=True)


def test_the_schemas_refuse_an_unknown_field() -> None:
    pod = pods(Layout.TOGETHER, "fifo")["fifo"]
    pod["spec"]["containers"][0]["securityContext"]["readOnlyRoot"] = True
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(pod, RELEASES[-1], strict=True)


@pytest.mark.parametrize("layout", Layout)
def test_every_pod_passes_the_restricted_pod_security_standard(layout: Layout) -> None:
    for name, pod in pods(layout).items():
        assert violations(pod) == [], name
        for container in pod["spec"]["containers"]:
            assert container["securityContext"]["readOnlyRootFilesystem"] is True
            assert container["resources"]["limits"]["memory"]
            assert set(container["resources"]["requests"]) == {"cpu", "memory"}


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("hostIPC",), True),
        (("volumes", 0, "hostPath"), {"path": "/"}),
        (("securityContext", "sysctls"), [{"name": "kernel.msgmax", "value": "1"}]),
        (("containers", 0, "securityContext", "privileged"), True),
        (("containers", 0, "securityContext", "allowPrivilegeEscalation"), None),
        (("containers", 0, "securityContext", "capabilities"), {}),
        (("containers", 0, "securityContext", "capabilities", "add"), ["SYS_ADMIN"]),
        (("containers", 0, "securityContext", "runAsNonRoot"), False),
        (("containers", 0, "securityContext", "runAsUser"), 0),
        (("containers", 0, "securityContext", "seccompProfile"), {"type": "Unconfined"}),
        (("containers", 0, "securityContext", "procMount"), "Unmasked"),
        (("containers", 0, "ports", 0, "hostPort"), 9464),
    ],
)
def test_the_standard_refuses_each_forbidden_field(path: tuple[str | int, ...], value: object) -> None:
    pod = copy.deepcopy(pods(Layout.TOGETHER, "fifo")["fifo"])
    *inner, last = path
    place: Any = pod["spec"]
    for step in inner:
        place = place[step]
    place[last] = value
    assert len(violations(pod)) == 1


def test_everything_is_in_one_restricted_namespace_and_has_the_labels() -> None:
    first, *others = made(Layout.TOGETHER, "fifo", project="my_lab")
    assert first["kind"] == "Namespace"
    assert first["metadata"]["name"] == "my-lab", "a label of the DNS has no _"
    assert first["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    for manifest in others:
        assert manifest["metadata"]["namespace"] == "my-lab"
        assert manifest["metadata"]["labels"]["app.kubernetes.io/instance"] == "my-lab"


@pytest.mark.parametrize("name", mechanisms.names())
def test_a_pair_shares_in_one_pod_what_it_shares_in_compose(name: str) -> None:
    pod = pods(Layout.TOGETHER, name)[name.replace("_", "-")]
    consumer, producer = mounts(pod, 0), mounts(pod, 1)
    shared = {path for path in consumer if consumer[path] == producer.get(path)}
    needs = mechanisms.load(name).traits.requires
    assert ("/channel" in shared) is (Sharing.VOLUME in needs)
    assert ("/dev/shm" in shared) is (Sharing.DEV_SHM in needs)
    assert not {"/state", "/heartbeat"} & shared, "ledgers are private"


def test_the_second_container_of_a_pod_has_a_metrics_port_of_its_own() -> None:
    for pod in pods(Layout.TOGETHER).values():
        ports = [port["containerPort"] for c in pod["spec"]["containers"] for port in c["ports"]]
        assert len(set(ports)) == len(ports)
        for container in pod["spec"]["containers"][1:]:
            (port,) = (item["value"] for item in container["env"] if item["name"] == "LAB_METRICS_PORT")
            assert int(port) == container["ports"][0]["containerPort"]


def test_dev_shm_in_memory_and_the_pairs_without() -> None:
    found = pods(Layout.TOGETHER, "posix_shm")
    volumes = {
        name: {v["name"]: v["emptyDir"] for v in pod["spec"]["volumes"] if v["name"].startswith("dev-shm")}
        for name, pod in found.items()
    }
    memory = {"medium": "Memory", "sizeLimit": "64Mi"}
    assert volumes["posix-shm"] == {"dev-shm": memory}
    assert volumes["posix-shm-own"] == {"dev-shm-consumer": memory, "dev-shm-producer": memory}
    assert volumes["posix-shm-unset"] == {}


def test_two_pods_share_no_volume_but_a_claim() -> None:
    for layout in (Layout.APART, Layout.CLAIM):
        for pod in pods(layout).values():
            for container in pod["spec"]["containers"]:
                assert container["args"][0:1] != ["producer"] or len(pod["spec"]["containers"]) == 1
    claimed = made(Layout.CLAIM, "fifo", "sysv_shm")
    assert [m["metadata"]["name"] for m in claimed if m["kind"] == "PersistentVolumeClaim"] == ["fifo"]
    assert not any(m["kind"] == "PersistentVolumeClaim" for m in made(Layout.APART, "fifo"))
    producer = pods(Layout.CLAIM, "fifo")["fifo-producer"]
    assert producer["spec"]["affinity"]["podAffinity"], "a claim of one node is mounted on one node"


def test_the_receiver_of_a_network_is_called_after_its_pod() -> None:
    for layout, host in ((Layout.TOGETHER, "tcp"), (Layout.APART, "tcp-consumer")):
        for pod in pods(layout, "tcp").values():
            for container in pod["spec"]["containers"]:
                if container["args"] and container["args"][0] in ("consumer", "producer"):
                    assert container["args"][container["args"].index("--host") + 1] == host


def test_the_probes_are_at_their_placements() -> None:
    found = pods(Layout.TOGETHER, "fifo")
    by_placement = {
        container["args"][1]: pod
        for pod in found.values()
        for container in pod["spec"]["containers"]
        if container["args"][:1] == ["probe"]
    }
    assert set(by_placement) == set(PodPlacement)
    assert by_placement["same_pod"] is found["responder"]
    assert set(by_placement["same_node"]["spec"]["affinity"]) == {"podAffinity"}
    assert set(by_placement["other_node"]["spec"]["affinity"]) == {"podAntiAffinity"}


def test_prometheus_scrapes_every_page_by_name() -> None:
    found = made(Layout.TOGETHER, "fifo")
    (text,) = (m["data"]["prometheus.yml"] for m in found if m["kind"] == "ConfigMap")
    configured = yaml.safe_load(text)
    (job,) = configured["scrape_configs"]
    (static,) = job["static_configs"]
    pages = [
        "fifo:9464",
        "fifo:9466",
        "responder:9464",
        "responder:9466",
        "probe-same-node:9464",
        "probe-other-node:9464",
    ]
    assert static["targets"] == pages
    named = {
        f"{m['metadata']['name']}:{port['port']}"
        for m in found
        if m["kind"] == "Service"
        for port in m["spec"]["ports"]
    }
    assert set(pages) <= named
    assert "page" in {m["metadata"]["name"] for m in found if m["kind"] == "Pod"}


def test_an_image_of_a_registry() -> None:
    wanted = Wanted("ipclab", ["fifo"], Layout.TOGETHER, Images("registry.example/lab/", "v1"), _VALUES)
    images = {c["image"] for m in manifests.of_lab(wanted) if m["kind"] == "Pod" for c in m["spec"]["containers"]}
    assert images == {f"registry.example/lab/ipclab/{name}:v1" for name in ("lab", "prometheus", "page")}
